import cv2
import numpy as np
import pytest

from fetalstream.pipeline.readout.quality import QualityMeter
from fetalstream.pipeline.readout.segment import Segment

RNG = np.random.default_rng(5)
SPECKLE = cv2.GaussianBlur((RNG.random((480, 640)) * 255).astype(np.uint8), (0, 0), 2.0) * 2


def shifted(pixels, by):
    return np.roll(pixels, by, axis=1)


def test_blur_costs_sharpness():
    sharp = QualityMeter().update(SPECKLE, 0.0, Segment()).sharpness
    blurred = QualityMeter().update(cv2.GaussianBlur(SPECKLE, (0, 0), 5.0), 0.0, Segment()).sharpness
    assert 0 <= blurred < sharp / 2 < sharp <= 1


def test_real_heads_lose_by_blur(test_data):
    files = sorted((test_data / "hc18").rglob("*_HC.png"))[:5]
    if not files:
        pytest.skip("real fetal heads are absent from the test data")
    for file in files:
        head = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        blurred = cv2.GaussianBlur(head, (0, 0), 2.5)
        assert QualityMeter().update(head, 0.0, Segment()).sharpness > 0.35
        assert QualityMeter().update(blurred, 0.0, Segment()).sharpness < 0.1
        assert (
            QualityMeter().update(blurred, 0.0, Segment()).contrast
            < 0.9 * QualityMeter().update(head, 0.0, Segment()).contrast
        )


def test_structures_that_stand_out_less_have_less_contrast_whatever_the_speckle():
    structures = np.full((480, 640), 60, np.uint8)
    cv2.ellipse(structures, (320, 240), (120, 90), 20, 0, 360, (150,), 6)
    faded = (60 + 0.8 * (structures.astype(np.float32) - 60)).astype(np.uint8)
    speckle = np.random.default_rng(3).normal(0, 6, structures.shape)
    grainy = np.clip(faded + speckle, 0, 255).astype(np.uint8)
    clear, less, with_speckle = (QualityMeter().update(each, 0.0, Segment()) for each in (structures, faded, grainy))
    assert with_speckle.contrast < 0.85 * clear.contrast
    assert with_speckle.contrast == pytest.approx(less.contrast, rel=0.15)
    assert with_speckle.sharpness > 1.5 * less.sharpness


def test_what_lies_at_the_edges_adds_no_contrast():
    lettered = np.zeros((480, 640), np.uint8)
    cv2.putText(lettered, "GE LOGIQ", (10, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255,), 3)
    assert QualityMeter().update(lettered, 0.0, Segment()).contrast == 0


def test_the_same_picture_at_another_resolution_has_about_the_same_contrast():
    large = cv2.resize(SPECKLE, (1280, 960), interpolation=cv2.INTER_CUBIC)
    found = [QualityMeter().update(each, 0.0, Segment()).contrast for each in (SPECKLE, large)]
    assert found[0] == pytest.approx(found[1], abs=0.03)


def test_a_flat_picture_has_neither_sharpness_nor_contrast():
    flat = QualityMeter().update(np.full((100, 100), 80, np.uint8), 0.0, Segment())
    assert (flat.sharpness, flat.contrast) == (0, 0)


def test_gray_and_the_same_in_colour_agree():
    gray = QualityMeter().update(SPECKLE, 0.0, Segment())
    colour = QualityMeter().update(np.dstack([SPECKLE] * 3), 0.0, Segment())
    assert colour.sharpness == pytest.approx(gray.sharpness, rel=0.02)


def test_a_still_probe_is_steady_and_a_cut_is_not():
    meter = QualityMeter()
    still = [meter.update(SPECKLE, i / 30, Segment()).steadiness for i in range(10)]
    assert still == pytest.approx([1.0] * 10)
    assert meter.update(255 - SPECKLE, 10 / 30, Segment()).steadiness < 0.2
    settled = [meter.update(255 - SPECKLE, (11 + i) / 30, Segment()).steadiness for i in range(30)]
    assert settled[-1] > 0.9


def test_steadiness_is_about_time_not_frames():
    last = []
    for fps in (30, 120):
        meter = QualityMeter()
        meter.update(SPECKLE, 0.0, Segment())
        for i in range(1, fps // 2 + 1):
            steadiness = meter.update(255 - SPECKLE, i / fps, Segment()).steadiness
        last.append(steadiness)
    assert last[0] == pytest.approx(last[1], abs=0.15)


def test_another_segment_forgets_the_picture_before():
    meter = QualityMeter()
    meter.update(SPECKLE, 0.0, Segment())
    assert meter.update(255 - SPECKLE, 0.1, Segment(masking=1)).steadiness == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (3, 5, 3)])
def test_odd_shapes_are_judged_too(shape):
    found = QualityMeter().update(np.zeros(shape, np.uint8), 0.0, Segment())
    assert 0 <= found.sharpness <= 1
    assert 0 <= found.contrast <= 1
