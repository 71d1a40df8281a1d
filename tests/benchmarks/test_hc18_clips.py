import itertools
import math

import av
import cv2
import numpy as np
import pytest

from benchmarks.hc18_clips import FRAMES, GROUPS, HEIGHT, RATE, WIDTH, frames_of, write_clip
from fetalstream.pipeline.evaluation.hc18 import Head


@pytest.fixture
def head(tmp_path):
    """A bright disc of 100 pixels' radius in the middle of a picture of 800 x 540, 0.1 mm a pixel."""
    pixels = np.zeros((540, 800), np.uint8)
    cv2.circle(pixels, (400, 270), 100, (255,), -1)
    cv2.imwrite(str(tmp_path / "1_HC.png"), pixels)
    return Head(tmp_path / "1_HC.png", 0.1, 2 * math.pi * 10)


def test_a_still_is_shown_at_the_spacing_asked_for(head):
    for spacing_mm in (0.1, 0.2):
        areas = [(pixels > 127).sum() for pixels in frames_of(head, spacing_mm)]
        assert areas == pytest.approx([math.pi * (10 / spacing_mm) ** 2] * FRAMES, rel=0.03)


def test_a_still_drifts_about_the_middle_and_no_frame_repeats(head):
    frames = frames_of(head, 0.2)
    assert {pixels.shape for pixels in frames} == {(HEIGHT, WIDTH)}
    middles = np.array([np.argwhere(pixels > 127).mean(axis=0) for pixels in frames])
    assert np.abs(middles - [HEIGHT / 2, WIDTH / 2]).max() < 20
    assert np.ptp(middles[:, 1]) > 10
    assert all((one != other).any() for one, other in itertools.pairwise(frames))


def test_a_clip_holds_the_stills_one_after_another(head, tmp_path):
    write_clip(tmp_path / "clip.mp4", [head, head], 0.2)
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        stream = clip.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (WIDTH, HEIGHT, RATE)
        assert sum(1 for _ in clip.decode(stream)) == 2 * FRAMES


def test_the_groups_cover_the_heads_that_are_counted_without_a_gap():
    ends = [(low, high) for low, high, _ in GROUPS]
    assert ends[0][0] == 100.0
    assert ends[-1][1] == 342.0
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ends))
    assert [mm for _, _, mm in GROUPS] == sorted(mm for _, _, mm in GROUPS)
