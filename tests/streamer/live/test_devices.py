"""The questions that V4L2 is asked, answered by a driver made here: the kernel of this machine has no such devices."""

import struct

import pytest

from fetalstream.streamer.live import devices
from fetalstream.streamer.live.devices import Device, Format, best_format, formats_of, stable_path

OFFERED = {
    b"YUYV": {(1920, 1080): [(1, 5)], (640, 480): [(1, 30), (1, 60)]},
    b"MJPG": {(1920, 1080): [(1, 30), (1001, 60000)]},
}


def driver(handle, request, question):
    """Fills structures in as videodev2.h lays them out; raises EINVAL at the end of every list."""
    (index,) = struct.unpack_from("=I", question)
    try:
        if request == 0x80685600:
            assert len(question) == 104
            struct.pack_into(
                "=16s32s32sIII", question, 0, b"uvc", b"HDMI \x1b[2Jgrabber", b"usb", 6, 0x84200001, 0x04200001
            )
        elif request == 0xC0405602:
            assert len(question) == 64
            assert struct.unpack_from("=I", question, 4) == (1,)
            struct.pack_into("=4s", question, 44, list(OFFERED)[index])
        elif request == 0xC02C564A:
            assert len(question) == 44
            (code,) = struct.unpack_from("=4s", question, 4)
            struct.pack_into("=III", question, 8, 1, *list(OFFERED[code])[index])
        elif request == 0xC034564B:
            assert len(question) == 52
            code, width, height = struct.unpack_from("=4sII", question, 4)
            struct.pack_into("=III", question, 16, 1, *OFFERED[code][width, height][index])
        else:
            raise AssertionError(hex(request))
    except IndexError:
        raise OSError(22, "Invalid argument") from None


@pytest.fixture
def root(tmp_path, monkeypatch):
    (tmp_path / "video0").touch()
    monkeypatch.setattr(devices, "_ioctl", lambda: driver)
    return tmp_path


def test_the_requests_are_those_of_the_kernel():
    def number(direction, size, nr):
        return direction << 30 | size << 16 | ord("V") << 8 | nr

    assert number(2, devices._CAPABILITY.size, 0) == devices._QUERYCAP
    assert number(3, devices._FORMAT.size, 2) == devices._ENUM_FMT
    assert number(3, devices._SIZE.size, 74) == devices._ENUM_SIZES
    assert number(3, devices._INTERVAL.size, 75) == devices._ENUM_INTERVALS


def test_a_device_is_told_with_all_that_it_offers(root):
    (found,) = devices.devices("linux", root)
    assert found.source == "camera:0"
    assert found.name == "HDMI ?[2Jgrabber"
    assert found.formats == (
        Format("yuyv", (1920, 1080), 5.0),
        Format("yuyv", (640, 480), 60.0),
        Format("mjpeg", (1920, 1080), pytest.approx(59.94, abs=0.01)),
    )


def test_the_largest_smooth_format_is_chosen(root):
    offered = formats_of(root / "video0")
    assert best_format(offered).format == "mjpeg"
    assert best_format(offered[:2]) == Format("yuyv", (640, 480), 60.0)
    assert best_format([]) is None
    both = [Format("mjpeg", (1920, 1080), 60.0), Format("nv12", (1920, 1080), 30.0)]
    assert best_format(both).format == "nv12"


def test_a_range_of_sizes_and_rates_counts_by_its_best(root, monkeypatch):
    def ranges(handle, request, question):
        (index,) = struct.unpack_from("=I", question)
        if index:
            raise OSError(22, "Invalid argument")
        if request == 0xC0405602:
            struct.pack_into("=4s", question, 44, b"NV12")
        elif request == 0xC02C564A:
            struct.pack_into("=I6I", question, 8, 3, 16, 4096, 16, 16, 2160, 8)
        elif request == 0xC034564B:
            struct.pack_into("=I6I", question, 16, 3, 1, 60, 1, 1, 1, 1)

    assert formats_of(root / "video0", ranges) == [Format("nv12", (4096, 2160), 60.0)]


def test_a_driver_that_never_ends_its_list_is_not_believed(root):
    def endless(handle, request, question):
        struct.pack_into("=4s", question, 44, b"MJPG") if request == 0xC0405602 else None
        if request in (0xC02C564A, 0xC034564B):
            raise OSError(22, "Invalid argument")

    assert formats_of(root / "video0", endless) == []


def test_what_gives_no_pictures_is_left_out_and_what_may_not_be_asked_is_told(root, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    def metadata(handle, request, question):
        struct.pack_into("=16s32s32sIII", question, 0, b"", b"", b"", 6, 0x84A00001, 0x04A00000)

    monkeypatch.setattr(devices, "_ioctl", lambda: metadata)
    assert devices.devices("linux", root) == []
    monkeypatch.setattr(devices, "_opened", refuse)
    (found,) = devices.devices("linux", root)
    assert found == Device("camera:0", "video0", (), "permission denied; add yourself to the group video")
    assert formats_of(root / "video0") == []


def test_the_name_that_stays_is_preferred(tmp_path):
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (tmp_path / "video1").touch()
    (by_id / "usb-card-index0").symlink_to(tmp_path / "video1")
    assert stable_path(str(tmp_path / "video1"), by_id) == str(by_id / "usb-card-index0")
    assert stable_path(str(tmp_path / "video0"), by_id) == str(tmp_path / "video0")
    assert stable_path("/dev/video0", tmp_path / "no such folder") == "/dev/video0"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_are_listed_by_libav(platform, monkeypatch):
    class Listed:
        def __init__(self, name, description, media_types):
            self.name, self.description, self.media_types = name, description, media_types

    asked = []
    listed = [Listed("video=USB Video", "USB Video", ["video"]), Listed("Mic", "Mic", ["audio"])]
    monkeypatch.setattr(
        devices, "av", type("Av", (), {"enumerate_input_devices": lambda kind: asked.append(kind) or listed})
    )
    assert devices.devices(platform) == [Device("camera:USB Video", "USB Video")]
    assert asked == [{"darwin": "avfoundation", "win32": "dshow"}[platform]]


def test_this_machine_can_be_asked():
    assert isinstance(devices.devices(), list)
