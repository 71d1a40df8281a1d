import numpy as np
import pytest
from PIL import Image

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.frame import Frame
from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.streamer.region.calibration import look_at, save_picture
from fetalstream.streamer.region.masker import Masker, setting_from, setting_values
from fetalstream.streamer.region.profiles import load_profile, write_profile
from tests.streamer.outlines import overlap

SEED = 5


@pytest.fixture(scope="module")
def scan():
    screen = ScannerScreen(SEED)
    return screen, [screen.frame(30 * i) for i in range(4)]


@pytest.fixture(scope="module")
def found(scan):
    return look_at(scan[1], seconds=4)


def test_region_and_ruler_are_told_in_plain_values(scan, found):
    told = found.values()
    assert told["state"] == "live"
    assert overlap(told["sector"]["polygon"], scan[0].design.polygon, scan[1][0].pixels.shape[:2]) > 0.95
    assert told["sector"]["confidence"] > 0.9
    assert told["ruler"]["spacing_mm"] == pytest.approx(scan[0].design.spacing_mm, rel=0.01)


def test_what_is_not_found_is_null():
    dark = look_at([Frame(np.zeros((300, 400), np.uint8), 0, 0.0, 0)], seconds=1)
    assert dark.values() == {"sector": None, "ruler": None, "state": "black"}
    with pytest.raises(SourceError):
        look_at([], seconds=1)
    with pytest.raises(SourceError):
        dark.profile("room-2")


def test_the_shape_of_what_is_told_is_kept(found):
    told = found.values()
    assert told.keys() == {"sector", "ruler", "state"}
    assert told["sector"].keys() == {"polygon", "rectangle", "confidence"}
    assert told["ruler"].keys() == {"spacing_mm", "confidence"}


def test_a_picture_that_shows_too_little_is_followed_by_another_look(scan):
    dark = [Frame(np.full((735, 975), 60, np.uint8), i, i / 2, i) for i in range(2)]
    text = [Frame(scan[0]._dress, i, i / 2, i) for i in range(3)]
    later = [Frame(frame.pixels, 5 + i, 4 + i / 2, i) for i, frame in enumerate(scan[1][:3])]
    assert look_at(text, seconds=10).values()["state"] == "sector_unknown"
    assert look_at([*dark, *text, *later], seconds=10).sector is not None
    assert look_at([*dark, *text, *later], seconds=3).sector is None


def test_the_picture_shows_the_outline(found, tmp_path):
    save_picture(found, tmp_path / "seen.png")
    shown = np.array(Image.open(tmp_path / "seen.png"))
    green = (shown[:, :, 1] == 255) & (shown[:, :, 0] == 0) & (shown[:, :, 2] == 0)
    assert green.sum() > 500


def test_a_profile_survives_the_disk_and_holds_where_the_screen_looks_the_same(scan, found, tmp_path):
    screen, frames = scan
    path = write_profile(found.profile("room-2"), tmp_path)
    profile = load_profile(str(path))
    assert profile == found.profile("room-2")
    assert setting_from(setting_values(profile)) == profile
    masked = Masker(profile, hide_unknown=True)
    last = [masked.update(frame) for frame in frames][-1]
    assert last.region is not None
    assert last.region.origin == "profile"
    assert last.frame.spacing_mm == pytest.approx(screen.design.spacing_mm, rel=0.01)


def test_on_another_screen_the_profile_gives_way_to_the_finder(found):
    other = next(s for seed in range(6, 40) if (s := ScannerScreen(seed)).design.width == 640)
    frames = [other.frame(30 * i) for i in range(4)]
    masker = Masker(found.profile("room-2"), hide_unknown=True)
    region = [masker.update(frame) for frame in frames][-1].region
    assert region is not None
    assert region.origin == "found"
    assert overlap(region.polygon, other.design.polygon, frames[0].pixels.shape[:2]) > 0.95


@pytest.mark.parametrize("name", ["", "../x", "a b", "there-is-none"])
def test_a_name_that_is_none_is_told(name):
    with pytest.raises(SourceError):
        load_profile(name)


@pytest.mark.parametrize(
    "text", ["", "name = 3", 'name = "a"\nwidth = 3', "\x00", 'name="a"\nwidth=9\nheight=9\nsector=[1]']
)
def test_a_file_that_is_no_profile_is_told(text, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(SourceError) as wrong:
        load_profile(str(path))
    assert "\n" not in str(wrong.value)
