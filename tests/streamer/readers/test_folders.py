import numpy as np
import pytest
from PIL import Image

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers import image_file
from fetalstream.streamer.readers.folders import ImageFolder

GRAY = (np.arange(24 * 32) % 251).astype(np.uint8).reshape(24, 32)


def save(folder, name, pixels=GRAY, mode=None, **options):
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(folder / name, **options)


def only(folder):
    with ImageFolder(folder) as images:
        (frame,) = list(images)
    return frame.pixels


def test_images_come_in_natural_order_a_second_apart(tmp_path):
    for number in (10, 2, 1):
        save(tmp_path, f"scan{number}.png", np.full((8, 8), number, np.uint8))
    with ImageFolder(tmp_path) as images:
        frames = list(images)
        assert (images.kind, images.live, images.frames_expected) == ("folder", False, 3)
    assert [int(frame.pixels[0, 0]) for frame in frames] == [1, 2, 10]
    assert [(frame.index, frame.pts_seconds, frame.epoch) for frame in frames] == [
        (0, 0.0, 0),
        (1, 1.0, 0),
        (2, 2.0, 0),
    ]


def test_another_size_begins_an_epoch_and_has_no_spacing(tmp_path):
    save(tmp_path, "1.png")
    save(tmp_path, "2.png")
    save(tmp_path, "3.png", GRAY[:10])
    with ImageFolder(tmp_path, spacing_mm=0.3) as images:
        frames = list(images)
        assert any("size" in warning for warning in images.warnings)
    assert [(frame.epoch, frame.spacing_mm, frame.spacing_from) for frame in frames] == [
        (0, 0.3, "operator"),
        (0, 0.3, "operator"),
        (1, None, None),
    ]


def test_unreadable_images_are_counted_left_out_and_never_named(tmp_path):
    save(tmp_path, "1.png")
    (tmp_path / "2-Jane-Doe.png").write_bytes(b"not an image")
    save(tmp_path, "3.png")
    whole = (tmp_path / "1.png").read_bytes()
    (tmp_path / "4.png").write_bytes(whole[: len(whole) * 6 // 10])
    with ImageFolder(tmp_path) as images:
        assert [frame.index for frame in images] == [0, 2]
    (warning,) = images.warnings
    assert "2 of 4" in warning
    assert warning.endswith("number 2, 4")
    assert "Jane" not in warning


def test_a_folder_of_nothing_readable_is_an_error_in_the_end(tmp_path):
    (tmp_path / "1.png").write_bytes(b"not an image")
    with ImageFolder(tmp_path) as images, pytest.raises(SourceError, match="none of its images") as raised:
        list(images)
    assert str(tmp_path) in str(raised.value)  # for who gave the name
    assert str(tmp_path) not in raised.value.reason  # for everybody else


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._1.png").write_bytes(b"left by a Mac")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SourceError, match="no images in this folder"):
        ImageFolder(tmp_path)


def test_one_image_is_a_folder_of_one(tmp_path):
    save(tmp_path, "1.png")
    save(tmp_path, "2.png")
    assert np.array_equal(only(tmp_path / "1.png"), GRAY)


def test_gray_stays_gray_and_colour_stays_colour(tmp_path):
    save(tmp_path, "1.png", np.dstack([GRAY] * 3))
    assert np.array_equal(only(tmp_path), GRAY)
    coloured = np.dstack([GRAY, GRAY[::-1], GRAY])
    save(tmp_path, "1.png", coloured)
    assert np.array_equal(only(tmp_path), coloured)


def test_palettes_and_one_bit_images_are_spread_out(tmp_path):
    save(tmp_path, "1.png", mode="P")
    assert np.array_equal(only(tmp_path), GRAY)
    save(tmp_path, "1.png", np.where(GRAY > 99, 255, 0).astype(np.uint8), mode="1")
    assert set(np.unique(only(tmp_path))) == {0, 255}


def test_transparent_parts_are_black_whatever_colour_they_hide(tmp_path):
    opacity = np.zeros_like(GRAY)
    opacity[:, :16] = 255
    expected = np.where(opacity == 255, GRAY, 0)
    save(tmp_path, "1.png", np.dstack([GRAY, GRAY, GRAY, opacity]))
    assert np.array_equal(only(tmp_path), expected)
    Image.merge("LA", (Image.fromarray(GRAY), Image.fromarray(opacity))).save(tmp_path / "1.png")
    assert np.array_equal(only(tmp_path), expected)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_come_down_to_eight(tmp_path, suffix):
    save(tmp_path, f"1.{suffix}", GRAY.astype(np.uint16) * 257)
    assert np.array_equal(only(tmp_path), GRAY)


def test_floating_point_images_are_left_out_with_the_reason(tmp_path):
    save(tmp_path, "1.tif", GRAY.astype(np.float32))
    save(tmp_path, "2.tif")
    with ImageFolder(tmp_path) as images:
        assert len(list(images)) == 1
    assert "floating-point" in images.warnings[0]


def test_images_too_large_are_left_out_before_they_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(image_file, "MAX_PIXELS", GRAY.size)
    save(tmp_path, "1.png")
    save(tmp_path, "2.png", np.zeros((25, 32), np.uint8))
    with ImageFolder(tmp_path) as images:
        assert [frame.index for frame in images] == [0]
    assert "larger than" in images.warnings[0]


def test_exif_orientation_is_applied(tmp_path):
    image = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 16, axis=1).repeat(16, axis=0))
    exif = image.getexif()
    exif[274] = 6  # to be turned a quarter clockwise
    image.save(tmp_path / "1.jpg", exif=exif, quality=95)
    pixels = only(tmp_path)
    assert pixels.shape == (32, 16)
    assert pixels[4].mean() < 20 < 235 < pixels[28].mean()


def test_identity_is_of_the_images_not_of_where_they_lie(tmp_path):
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder, "1.png")
    save(tmp_path / "c", "2.png")
    a, b, c = (ImageFolder(tmp_path / folder).identity for folder in ("a", "b", "c"))
    assert a == b != c
    assert len(a) == 64


def test_every_page_and_frame_in_a_folder_is_counted_through(tmp_path):
    pages = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 20, 30)]
    pages[0].save(tmp_path / "1.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "2.png", save_all=True, append_images=pages[1:], duration=250)
    save(tmp_path, "3.png", np.full((8, 8), 40, np.uint8))
    with ImageFolder(tmp_path) as images:
        assert images.frames_expected == 7
        found = [(frame.index, frame.pts_seconds, int(frame.pixels[0, 0]), frame.epoch) for frame in images]
        assert images.warnings == []
    assert found == [
        (0, 0.0, 10, 0),
        (1, 1.0, 20, 0),
        (2, 2.0, 30, 0),
        (3, 3.0, 10, 0),
        (4, 3.25, 20, 0),
        (5, 3.5, 30, 0),
        (6, 3.75, 40, 0),
    ]


def test_a_stack_cut_short_gives_what_decodes_and_tells_the_rest(tmp_path):
    pages = [Image.fromarray(np.roll(GRAY, number, 1)) for number in range(4)]
    pages[0].save(tmp_path / "whole.png", save_all=True, append_images=pages[1:])
    whole = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "whole.png").write_bytes(whole[: len(whole) * 6 // 10])
    save(tmp_path, "z.png")
    with ImageFolder(tmp_path) as images:
        found = [frame.index for frame in images]
    (warning,) = images.warnings
    assert found[0] == 0
    assert found[-1] == 4
    assert f"{5 - len(found)} of 5" in warning
    assert 2 <= len(found) < 5


def test_pictures_of_kinds_that_are_not_read_are_told(tmp_path):
    save(tmp_path, "1.png")
    for name in ("2.HEIC", "3.heic", "4.avif", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    with ImageFolder(tmp_path) as images:
        (warning,) = images.warnings
    assert "AVIF: 1, HEIC: 2" in warning
    assert "convert" in warning
    (tmp_path / "1.png").unlink()
    with pytest.raises(SourceError, match=r"HEIC: 2.*convert"):
        ImageFolder(tmp_path)
