import struct

import numpy as np
import pytest

from fetalstream.streamer.readers.container_crop import Crop, container_crop
from fetalstream.streamer.readers.files import VideoFile
from tests.streamer.clips import patches, write, yuv420

FULL, LIMITED = 2, 1
MP4, MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
ANCESTORS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")


def with_clap(path, *values):
    """Adds a clean aperture to the sample entry, and its length to all boxes round it; the film comes last."""
    data = bytearray(path.read_bytes())
    assert data.index(b"moov") > data.index(b"mdat")
    box = struct.pack(">I4s8i", 40, b"clap", *values)
    sizes = [data.index(name, data.index(b"moov")) - 4 for name in ANCESTORS]
    (entry,) = struct.unpack_from(">I", data, sizes[-1])
    data[sizes[-1] + entry : sizes[-1] + entry] = box
    for at in sizes:
        struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + len(box))
    path.write_bytes(data)
    return path


def mp4(folder, *values):
    film = write(folder / "a.mp4", [yuv420(patches(), colour_range=FULL)] * 3, qp="0")
    return with_clap(film, *values) if values else film


@pytest.mark.parametrize(
    ("values", "rows", "columns"),
    [
        (
            (64, 1, 36, 1, 0, 1, 6, 1),
            slice(12, 48),
            slice(0, 64),
        ),  # the middle lies 6 rows lower: 12 rows at the top go
        ((64, 1, 36, 1, 0, 1, -6, 1), slice(0, 36), slice(0, 64)),
        ((80, 2, 48, 1, -24, 2, 0, 1), slice(0, 48), slice(0, 40)),
        ((32, 1, 24, 1, 0, 1, 0, 1), slice(12, 36), slice(16, 48)),
    ],
)
def test_a_clean_aperture_is_all_that_is_shown(tmp_path, values, rows, columns):
    with VideoFile(mp4(tmp_path, *values)) as video:
        frames = list(video)
        assert video.warnings == []
    assert len(frames) == 3
    assert all(np.array_equal(frame.pixels, patches()[rows, columns]) for frame in frames)


@pytest.mark.parametrize("values", [(64, 1, 60, 1, 0, 1, 0, 1), (64, 1, 36, 0, 0, 1, 0, 1), (64, 1, 48, 1, 0, 1, 0, 1)])
def test_an_aperture_that_is_none_or_cannot_be_is_not_followed(tmp_path, values):
    assert container_crop(mp4(tmp_path, *values), MP4, 0) is None


def test_the_crop_of_matroska_is_followed(tmp_path):
    path = write(tmp_path / "a.mkv", [yuv420(patches(), colour_range=FULL)] * 3, codec="ffv1")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x55\xb0")  # the element of colours makes room for 8 rows at the top, and nothing after them
    size = 3 + (data[at + 2] & 0x7F)
    crop = bytes.fromhex("54bb8108")
    data[at : at + size] = crop + bytes([0xEC, 0x80 | (size - len(crop) - 2)]) + bytes(size - len(crop) - 2)
    path.write_bytes(data)
    assert container_crop(path, MATROSKA, 0) == Crop(0, 8, 0, 0)
    with VideoFile(path) as video:
        assert {frame.pixels.shape for frame in video} == {(40, 64)}


def test_most_files_have_none(tmp_path):
    assert container_crop(mp4(tmp_path), MP4, 0) is None
    assert container_crop(write(tmp_path / "a.mkv", [yuv420(patches())], codec="ffv1"), MATROSKA, 0) is None
    assert container_crop(tmp_path / "a.mp4", "avi", 0) is None
    assert container_crop(tmp_path / "a.mp4", MP4, 5) is None


@pytest.mark.parametrize("format_name", [MP4, MATROSKA])
@pytest.mark.parametrize("data", [b"", bytes(300), b"\xff" * 300, bytes(range(256)) * 4])
def test_what_cannot_be_read_has_none(tmp_path, format_name, data):
    (tmp_path / "a").write_bytes(data)
    assert container_crop(tmp_path / "a", format_name, 0) is None
