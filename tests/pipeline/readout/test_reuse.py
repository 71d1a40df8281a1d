import numpy as np
import pytest

from fetalstream.pipeline.readout.reuse import MAX_IN_A_ROW, MAX_SECONDS, ReuseGate, unchanged
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.signal import SignalMonitor
from tests.pipeline.doubles import frame

NOISE = np.random.default_rng(0)


def speckle(seed=0):
    """A scan of 480 x 640: speckle with some structure, black round it."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(20, 200, (24, 32)), np.ones((10, 10)))
    pixels = np.zeros((480, 640))
    pixels[120:360, 160:480] = coarse * rng.rayleigh(0.8, coarse.shape)
    return pixels.clip(0, 250).astype(np.uint8)


def noisy(pixels, levels=1):
    return (pixels.astype(int) + NOISE.integers(-levels, levels + 1, pixels.shape)).clip(0, 255).astype(np.uint8)


def thumbnail(pixels):
    monitor = SignalMonitor()
    monitor.update(frame(0, pixels))
    return monitor.thumbnail


STILL = speckle()
SMALL = thumbnail(STILL)


def test_without_an_answer_nothing_holds():
    assert not ReuseGate().holds(Segment(epoch=0), 0.0, SMALL)


def test_a_picture_that_stays_is_looked_at_again_after_a_while():
    gate = ReuseGate()
    held = [gate.holds(Segment(epoch=0), i / 10, SMALL) for i in range(45)]
    assert [i / 10 for i, reused in enumerate(held) if not reused] == [0.0, MAX_SECONDS, 2 * MAX_SECONDS]


def test_and_after_so_many_frames_where_time_stands_still():
    gate = ReuseGate()
    held = [gate.holds(Segment(epoch=0), 0.0, SMALL) for _ in range(2 * MAX_IN_A_ROW + 2)]
    assert [i for i, reused in enumerate(held) if not reused] == [0, MAX_IN_A_ROW + 1]


def test_noise_of_a_level_holds_from_the_first_frame_on():
    gate = ReuseGate()
    gate.holds(Segment(epoch=0), 0.0, SMALL)
    assert all(gate.holds(Segment(epoch=0), i / 30, thumbnail(noisy(STILL))) for i in range(1, 20))


def moved(pixels):
    return np.roll(pixels, 2, axis=1)


def beating(pixels):
    """A small dark chamber that fills."""
    changed = pixels.copy()
    changed[230:250, 300:325] //= 2
    return changed


def caliper(pixels):
    changed = pixels.copy()
    changed[240, 296:311] = changed[233:248, 303] = 255
    return changed


def zoomed_far_away(pixels):
    """A change within black borders, which a plain correlation hardly sees."""
    changed = np.zeros_like(pixels)
    changed[200:260, 280:340] = pixels[200:260, 280:340]
    return changed


def brighter(pixels):
    return (pixels.astype(int) + 12 * (pixels > 0)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("change", [moved, beating, caliper, zoomed_far_away, brighter])
def test_small_real_changes_are_looked_at(change):
    gate = ReuseGate()
    gate.holds(Segment(epoch=0), 0.0, SMALL)
    assert not gate.holds(Segment(epoch=0), 0.03, thumbnail(noisy(change(STILL))))


def test_slow_change_adds_up_against_the_frame_that_was_analysed():
    gate = ReuseGate()
    steps = [STILL.astype(float) * (1 - k / 100) for k in range(40)]
    held = [gate.holds(Segment(epoch=0), k / 30, thumbnail(step.astype(np.uint8))) for k, step in enumerate(steps)]
    assert held.count(False) > 3


def test_nothing_holds_across_epochs_or_back_in_time():
    gate = ReuseGate()
    gate.holds(Segment(epoch=0), 5.0, SMALL)
    assert not gate.holds(Segment(epoch=1), 5.1, SMALL)
    assert not gate.holds(Segment(epoch=1), 0.0, SMALL)


def test_a_reset_takes_the_answer_away():
    gate = ReuseGate()
    gate.holds(Segment(epoch=0), 0.0, SMALL)
    gate.reset()
    assert not gate.holds(Segment(epoch=0), 0.1, SMALL)


def test_pictures_of_different_sizes_are_different():
    assert not unchanged(SMALL, SMALL[:-1])
