import cv2
import numpy as np
import pytest

from pipeline.quality import QualityMeter

RNG = np.random.default_rng(5)
SPECKLE = cv2.GaussianBlur((RNG.random((480, 640)) * 255).astype(np.uint8), (0, 0), 2.0) * 2


def shifted(pixels, by):
    return np.roll(pixels, by, axis=1)


def test_blur_costs_sharpness():
    sharp = QualityMeter().update(SPECKLE, 0.0).sharpness
    blurred = QualityMeter().update(cv2.GaussianBlur(SPECKLE, (0, 0), 5.0), 0.0).sharpness
    assert 0 <= blurred < sharp / 2 < sharp <= 1


def test_real_heads_lose_by_blur(test_data):
    files = sorted((test_data / "hc18").rglob("*_HC.png"))[:5]
    if not files:
        pytest.skip("real fetal heads are absent from the test data")
    for file in files:
        head = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        blurred = cv2.GaussianBlur(head, (0, 0), 2.5)
        assert QualityMeter().update(head, 0.0).sharpness > 0.35
        assert QualityMeter().update(blurred, 0.0).sharpness < 0.1


def test_a_flat_picture_has_no_sharpness():
    assert QualityMeter().update(np.full((100, 100), 80, np.uint8), 0.0).sharpness == 0


def test_gray_and_the_same_in_colour_agree():
    gray = QualityMeter().update(SPECKLE, 0.0)
    colour = QualityMeter().update(np.dstack([SPECKLE] * 3), 0.0)
    assert colour.sharpness == pytest.approx(gray.sharpness, rel=0.02)


def test_a_still_probe_is_steady_and_a_cut_is_not():
    meter = QualityMeter()
    still = [meter.update(SPECKLE, i / 30).steadiness for i in range(10)]
    assert still == pytest.approx([1.0] * 10)
    assert meter.update(255 - SPECKLE, 10 / 30).steadiness < 0.2
    settled = [meter.update(255 - SPECKLE, (11 + i) / 30).steadiness for i in range(30)]
    assert settled[-1] > 0.9


def test_steadiness_is_about_time_not_frames():
    last = []
    for fps in (30, 120):
        meter = QualityMeter()
        meter.update(SPECKLE, 0.0)
        for i in range(1, fps // 2 + 1):
            steadiness = meter.update(255 - SPECKLE, i / fps).steadiness
        last.append(steadiness)
    assert last[0] == pytest.approx(last[1], abs=0.15)


def test_a_reset_forgets_the_picture_before():
    meter = QualityMeter()
    meter.update(SPECKLE, 0.0)
    meter.reset()
    assert meter.update(255 - SPECKLE, 0.1).steadiness == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (3, 5, 3)])
def test_odd_shapes_are_judged_too(shape):
    found = QualityMeter().update(np.zeros(shape, np.uint8), 0.0)
    assert 0 <= found.sharpness <= 1
