"""Capture cards. This machine has none, and its kernel no V4L2: what is tested is the seam.

Names become what libav is asked for; what comes back is compared with it; and a libav device that every machine has
(``lavfi``, a drawn picture in real time) stands for the card.
"""

import contextlib
import itertools
import re
import time

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.live import camera
from fetalstream.streamer.live.camera import CameraWish, complaints, device_of, open_camera, options_of, parse
from fetalstream.streamer.live.devices import Format
from fetalstream.streamer.sources import open_source
from tests.streamer.live.test_network import Listener
from tests.waiting import until


def test_a_name_says_the_device_and_what_is_asked_of_it():
    assert parse("camera:0") == CameraWish("0")
    assert parse("camera:USB Video?format=mjpeg&size=1920x1080&rate=59.94&deinterlace=on") == CameraWish(
        "USB Video", "mjpeg", (1920, 1080), 59.94, True
    )
    assert parse("/dev/v4l/by-id/usb-card-index0?size=640x480").which == "/dev/v4l/by-id/usb-card-index0"


@pytest.mark.parametrize(
    "name", ["camera:", "camera:0?", "camera:0?x", "camera:0?zoom=2", "camera:0?size=big", "camera:0?size=0x5",
             "camera:0?rate=0", "camera:0?format=bmp", "camera:0?deinterlace=maybe", "camera:0?rate=5&rate=6"]
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(name):
    if name == "camera:0?":
        assert parse(name) == CameraWish("0")
        return
    with pytest.raises(SourceError) as caught:
        parse(name)
    assert str(caught.value).isprintable()


@given(st.text(max_size=40))
def test_any_name_is_understood_or_refused(text):
    with contextlib.suppress(SourceError):
        assert parse(f"camera:{text}").which


@pytest.mark.parametrize(
    ("which", "platform", "asked"),
    [
        ("0", "linux", ("v4l2", "/dev/video0")),
        ("/dev/video3", "linux", ("v4l2", "/dev/video3")),
        ("usb-card-index0", "linux", ("v4l2", "/dev/v4l/by-id/usb-card-index0")),
        ("0", "darwin", ("avfoundation", "0:none")),
        ("USB Video", "darwin", ("avfoundation", "USB Video:none")),
        ("USB Video", "win32", ("dshow", "video=USB Video")),
    ],
)
def test_each_system_is_asked_in_its_own_words(which, platform, asked):
    assert device_of(which, platform) == asked


def test_a_system_without_such_inputs_says_so():
    with pytest.raises(SourceError, match="over the network"):
        open_camera("camera:0", platform="sunos")


@pytest.mark.parametrize(
    ("kind", "format_", "key", "value"),
    [
        ("v4l2", "mjpeg", "input_format", "mjpeg"),
        ("v4l2", "yuyv", "input_format", "yuyv422"),
        ("dshow", "mjpeg", "vcodec", "mjpeg"),
        ("dshow", "yuyv", "pixel_format", "yuyv422"),
        ("avfoundation", "nv12", "pixel_format", "nv12"),
    ],
)
def test_format_size_and_rate_are_asked_for(kind, format_, key, value):
    options = options_of(kind, CameraWish("0", format_, (1920, 1080), 60.0))
    assert options[key] == value
    assert options["video_size"] == "1920x1080"
    assert options["framerate"] == "60"
    assert options["fflags"] == "nonblock"
    assert options_of("v4l2", CameraWish("0")) == {"fflags": "nonblock"}


def test_what_the_device_gives_instead_is_complained_of():
    wish = CameraWish("0", "yuyv", (1920, 1080), 60.0)
    assert complaints(wish, Format("yuyv422", (1920, 1080), 59.94)) == []
    said = " ".join(complaints(wish, Format("mjpeg", (1280, 720), 5.0)))
    assert "1280x720 pixels, 1920x1080 were asked for" in said
    assert "mjpeg, yuyv was asked for" in said
    assert "5 frames a second, 60 were asked for" in said
    assert complaints(CameraWish("0"), Format("mjpeg", (1, 1), 1.0)) == []


@pytest.fixture
def card(monkeypatch):
    """A drawn picture, 640x480 at 10 a second, in the place of whatever device is asked for."""
    plugged = {"in": True}

    def opened(device, *, format, container_options, **rest):  # noqa: A002 - PyAV's own word
        if not plugged["in"]:
            raise OSError(19, "No such device")
        # lavfi knows no options of devices; the picture is wide and slow whatever is asked for.
        return av.open("testsrc=size=640x480:rate=10,realtime", format="lavfi", **rest)

    # The name of the module that camera.py sees, not PyAV's own.
    monkeypatch.setattr(camera, "av", type("Av", (), {"open": staticmethod(opened)}))
    return plugged


def test_a_card_gives_frames_and_warns_of_what_was_not_asked_for(card):
    with Listener(open_camera("camera:0?size=1280x720&rate=30", spacing_mm=0.3)) as listener:
        frame = listener.more(3)[-1]
        assert frame.pixels.shape == (480, 640, 3)
        assert frame.spacing_mm == 0.3
        assert listener.source.kind == "camera"
        assert len(listener.source.warnings) == 2


def test_a_card_that_is_not_there_is_waited_for(card):
    card["in"] = False
    with Listener(open_source("camera:0")) as listener:
        until(lambda: listener.source.trouble == "no such device")
        card["in"] = True
        listener.more()
        assert listener.source.trouble is None


def test_a_rate_far_below_what_was_asked_for_is_measured(card, monkeypatch):
    monkeypatch.setattr("fetalstream.streamer.live.live_video._RATE_AFTER_SECONDS", 0.5)
    with Listener(open_camera("camera:0?rate=60")) as listener:
        told = r"(\d+) frames a second come, 60 were asked for"  # 10, or a few less on a busy machine
        until(lambda: any(re.search(told, each) for each in listener.source.warnings))
        (rate,) = (int(found[1]) for each in listener.source.warnings if (found := re.search(told, each)))
        assert rate <= 12


class Silent:
    """A device whose driver has nothing, then one picture, then nothing for ever."""

    def __init__(self, container):
        self._container = container
        self.streams, self.format = container.streams, container.format
        self.calls = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._container.close()

    def demux(self):
        self.calls += 1
        if self.calls == 3:
            yield from itertools.islice(self._container.demux(), 1)
        raise av.error.BlockingIOError(11, "Resource temporarily unavailable")


def test_a_device_that_ceases_to_deliver_is_opened_again(monkeypatch):
    monkeypatch.setattr("fetalstream.streamer.live.live_video.SILENCE_SECONDS", 0.3)
    opened = []

    def connect(_):
        opened.append(Silent(av.open("testsrc=size=64x48:rate=30", format="lavfi")))
        return opened[-1]

    source = open_camera("camera:0", platform="linux")
    source._connect = connect
    with Listener(source) as listener:
        until(lambda: len(opened) >= 2 and len(listener.frames) >= 2)
        first, second = listener.frames[:2]
        assert (first.epoch, second.epoch) == (0, 1)
        assert np.array_equal(first.pixels, second.pixels)
    assert opened[0].calls > 3


def test_a_reader_that_takes_its_time_is_no_silence(card, monkeypatch):
    monkeypatch.setattr("fetalstream.streamer.live.live_video.SILENCE_SECONDS", 0.05)
    source = open_camera("camera:0")
    epochs = set()
    for frame in itertools.islice(source, 4):
        epochs.add(frame.epoch)
        time.sleep(0.12)  # longer than the silence that is borne
    assert epochs == {0}
    assert source.reconnects == 0
