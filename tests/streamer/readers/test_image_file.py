import struct

import numpy as np
import pytest
from PIL import Image

from fetalstream.streamer.readers.image_file import page_count, read_pages
from fetalstream.streamer.sources import open_source

GRAY = (np.arange(24 * 32) % 251).astype(np.uint8).reshape(24, 32)
COUNT = 5


def pages():
    return [np.roll(GRAY, 3 * number, axis=1) for number in range(COUNT)]


def saved(path, pictures, **options):
    first, *others = [Image.fromarray(each) for each in pictures]
    first.save(path, format="PNG" if path.suffix == ".apng" else None, save_all=True, append_images=others, **options)
    return path


@pytest.mark.parametrize(
    ("name", "options", "seconds"),
    [
        ("a.tif", {}, None),
        ("a.png", {"duration": 40}, 0.04),
        ("a.webp", {"duration": 40, "lossless": True}, 0.04),
        ("a.gif", {"duration": 40}, 0.04),
        ("a.gif", {"duration": 0}, 0.1),
    ],
)
def test_every_picture_is_given_in_its_order_with_the_time_it_stands(tmp_path, name, options, seconds):
    path = saved(tmp_path / name, pages(), **options)
    assert page_count(path) == COUNT
    found = list(read_pages(path))
    assert [each.seconds for each in found] == [seconds] * COUNT
    for page, picture in zip(found, pages(), strict=True):
        assert np.array_equal(page.pixels, picture)


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.apng", "a.webp", "a.gif"])
def test_a_file_of_several_pictures_is_a_source_of_several_frames(tmp_path, name):
    options = {} if name == "a.tif" else {"duration": 40}
    path = saved(tmp_path / name, pages(), **options, **({"lossless": True} if name == "a.webp" else {}))
    with open_source(str(path)) as source:
        frames = list(source)
    period = 1.0 if name == "a.tif" else 0.04
    assert [frame.pts_seconds for frame in frames] == pytest.approx([period * at for at in range(COUNT)], abs=1e-3)
    assert all(np.array_equal(frame.pixels, picture) for frame, picture in zip(frames, pages(), strict=True))
    assert source.warnings == []


def test_sixteen_bit_stacks_are_read_page_by_page(tmp_path):
    path = saved(tmp_path / "a.tif", [each.astype(np.uint16) * 257 for each in pages()])
    for page, picture in zip(read_pages(path), pages(), strict=True):
        assert np.array_equal(page.pixels, picture)


def test_a_still_has_no_time_of_its_own(tmp_path):
    Image.fromarray(GRAY).save(tmp_path / "a.png")
    (page,) = read_pages(tmp_path / "a.png")
    assert page.seconds is None


def test_smaller_copies_and_masks_are_no_pages(tmp_path):
    whole, copy = Image.fromarray(GRAY), Image.fromarray(GRAY[::4, ::4].copy())
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    whole.save(tmp_path / "a.tif", save_all=True, append_images=[copy, Image.fromarray(GRAY[::-1].copy())])
    assert page_count(tmp_path / "a.tif") == 2
    found = [page.pixels for page in read_pages(tmp_path / "a.tif")]
    assert np.array_equal(found[0], GRAY)
    assert np.array_equal(found[1], GRAY[::-1])


def test_a_picture_for_readers_without_animation_is_no_frame(tmp_path):
    path = saved(tmp_path / "a.png", [np.zeros_like(GRAY), *pages()], default_image=True)
    assert page_count(path) == COUNT
    assert np.array_equal(next(iter(read_pages(path))).pixels, GRAY)


def tiff(levels, bits, photometric):
    """A TIFF file of one strip, as TIFF 6.0 lays it out, little-endian."""
    height, width = levels.shape
    data = levels.astype(f"<u{bits // 8}").tobytes()
    entries = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1),
               (278, height), (279, len(data))]  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries)) + table + bytes(4)


@pytest.mark.parametrize(("bits", "scale"), [(8, 1), (16, 257)])
def test_where_zero_is_white_the_picture_is_inverted_at_any_depth(tmp_path, bits, scale):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff((255 - GRAY.astype(int)) * scale, bits, photometric=0))
    (page,) = read_pages(path)
    assert np.array_equal(page.pixels, GRAY)
    path.write_bytes(tiff(GRAY.astype(int) * scale, bits, photometric=1))
    (page,) = read_pages(path)
    assert np.array_equal(page.pixels, GRAY)
