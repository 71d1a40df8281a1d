import numpy as np
import pytest

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import Masker
from fetalstream.streamer.region.sector import Polygon
from fetalstream.streamer.signal import SignalMonitor

RNG = np.random.default_rng(3)
SCAN = RNG.integers(0, 200, (48, 64)).repeat(10, axis=0).repeat(10, axis=1).astype(np.uint8)
BARS = np.repeat(np.array([[235, 219, 188, 173, 79, 63, 32, 16]], np.uint8), 80, axis=1).repeat(480, axis=0)


def frame(pixels, index=0, *, fps=30, epoch=0):
    return Frame(pixels, index, index / fps, 0, epoch)


def states(pictures, **options):
    monitor = SignalMonitor()
    return [monitor.update(frame(picture, index, **options)) for index, picture in enumerate(pictures)]


def flat(*colour):
    return np.full((480, 640, 3), colour, np.uint8)


def with_words(picture):
    lettered = picture.copy()
    lettered[230:250, 250:390:3] = 255
    return lettered


def test_a_moving_scan_is_live():
    assert set(states([np.roll(SCAN, step, axis=1) for step in range(30)])) == {"live"}


def test_an_unchanged_scan_is_frozen_after_half_a_second_of_media_time():
    assert states([SCAN] * 20, fps=10) == ["live"] * 5 + ["frozen"] * 15
    assert states([SCAN] * 20, fps=2) == ["live"] + ["frozen"] * 19


def test_a_frozen_scan_lives_again_with_the_first_frame_that_moves():
    found = states([SCAN] * 10 + [np.roll(SCAN, 4, axis=0)] * 2, fps=10)
    assert found[-3:] == ["frozen", "live", "live"]


def test_noise_of_a_grabber_leaves_a_frozen_scan_frozen_but_not_identical():
    monitor, noise = SignalMonitor(), np.random.default_rng(1)
    for index in range(20):
        noisy = np.clip(SCAN.astype(int) + noise.normal(0, 2, SCAN.shape), 0, 255).astype(np.uint8)
        state = monitor.update(frame(noisy, index, fps=10))
        assert not monitor.identical
    assert state == "frozen"


def test_a_small_beating_part_keeps_the_scan_live():
    beating = []
    for index in range(20):
        picture = SCAN.copy()
        picture[200:240, 300:340] = 120 + 10 * (index % 2)
        beating.append(picture)
    assert set(states(beating, fps=10)) == {"live"}


def test_slow_drift_is_not_frozen_for_ever():
    fading = [np.clip(SCAN.astype(int) + step, 0, 255).astype(np.uint8) for step in range(20)]
    assert "frozen" not in states(fading, fps=10)


@pytest.mark.parametrize("picture", [np.zeros((480, 640), np.uint8), flat(0, 0, 0), np.full((480, 640), 12, np.uint8)])
def test_darkness_is_black(picture):
    assert states([picture] * 3) == ["black"] * 3


@pytest.mark.parametrize(
    "picture", [flat(0, 0, 255), flat(0, 255, 0), flat(128, 128, 128), with_words(flat(0, 0, 255)), BARS]
)
def test_what_a_grabber_shows_without_a_scanner_is_no_signal(picture):
    assert states([picture] * 20, fps=10) == ["no_signal"] * 20


def fan(picture):
    """Cut to an outline, as the masker does it: black beside a sector."""
    outline = Polygon(((250, 20), (390, 20), (620, 400), (320, 470), (20, 400)))
    return Masker(outline).update(frame(picture)).frame.pixels


@pytest.mark.parametrize("picture", [flat(0, 0, 255), flat(128, 128, 128), with_words(flat(0, 0, 255)), BARS])
def test_it_is_no_signal_through_the_outline_of_a_sector_too(picture):
    assert states([fan(picture)] * 3) == ["no_signal"] * 3


def test_a_scan_in_its_outline_is_a_scan():
    assert states([fan(np.roll(SCAN, step, axis=1)) for step in range(30)]) == ["live"] * 30


def test_a_small_scan_on_a_dark_screen_is_a_scan():
    small = np.zeros((480, 640), np.uint8)
    small[200:280, 280:360] = SCAN[:80, :80]
    assert states([small]) == ["live"]


def test_identical_means_every_pixel_within_an_epoch():
    monitor = SignalMonitor()
    monitor.update(frame(SCAN, 0))
    assert not monitor.identical
    monitor.update(frame(SCAN.copy(), 1))
    assert monitor.identical
    other = SCAN.copy()
    other[17, 23] ^= 1
    monitor.update(frame(other, 2))
    assert not monitor.identical
    monitor.update(frame(other, 3, epoch=1))
    assert not monitor.identical
    monitor.update(frame(np.dstack([other] * 3), 4, epoch=1))
    assert not monitor.identical


def test_an_epoch_begins_the_half_second_anew():
    monitor = SignalMonitor()
    for index in range(10):
        monitor.update(frame(SCAN, index, fps=10))
    assert monitor.update(frame(SCAN, 10, fps=10, epoch=1)) == "live"


@pytest.mark.parametrize("size", [(1, 1), (2, 700), (700, 2), (49, 65)])
def test_any_size_of_frame_is_taken(size):
    assert states([np.full(size, 255, np.uint8)] * 2) == ["no_signal"] * 2


def test_real_screens_are_scans(test_data):
    cv2 = pytest.importorskip("cv2")
    paths = [
        *sorted((test_data / "screens").glob("*.png")),
        *sorted((test_data / "hc18" / "images").glob("*.png"))[:20],
    ]
    if not paths:
        pytest.skip("real frames are absent")
    for path in paths:
        assert SignalMonitor().update(frame(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))) == "live", (
            path.name
        )
