import numpy as np

from benchmarks.still_scans import APPROACH_S, AWAY_S, HEIGHT, RATE_HZ, REST_S, WIDTH, shots_of
from fetalstream.pipeline.training.real_pictures import RealPicture


def still(label, level=120):
    pixels = np.zeros((300, 400), np.uint8)
    pixels[100:200, 150:250] = level
    return RealPicture(pixels, "fetal_planes", f"{label}.png", label, label)


def test_a_visit_comes_in_rests_and_leaves_and_its_truth_is_known():
    shots = list(shots_of([still("femur"), still("brain")], [], 3))
    truths = [shot.truth for shot in shots]
    visit = round(AWAY_S * RATE_HZ) + round(REST_S * RATE_HZ) + 2 * round(APPROACH_S * RATE_HZ)
    assert len(shots) == 2 * visit
    order = [truth for number, truth in enumerate(truths) if number == 0 or truth != truths[number - 1]]
    assert order == ["other", "", "femur", "", "other", "", "brain", "", "other"]
    assert truths.count("femur") >= REST_S * RATE_HZ
    assert [shot.pts_seconds for shot in shots] == [number / RATE_HZ for number in range(len(shots))]
    assert {(shot.pixels.shape, shot.pixels.dtype) for shot in shots} == {((HEIGHT, WIDTH), np.dtype(np.uint8))}


def test_the_still_is_in_the_middle_at_rest_and_off_it_before():
    shots = list(shots_of([still("femur")], [], 4))
    lit = [(shot.pixels[140:340, 200:440] > 60).mean() for shot in shots]
    resting = [share for share, shot in zip(lit, shots, strict=True) if shot.truth == "femur"]
    away = [share for share, shot in zip(lit, shots, strict=True) if shot.truth == "other"]
    assert min(resting) > 2 * max(away)


def test_no_two_frames_are_the_same_even_at_rest_and_a_seed_repeats_itself():
    shots = list(shots_of([still("femur")], [], 5))
    assert len({shot.pixels.tobytes() for shot in shots}) == len(shots)
    again = list(shots_of([still("femur")], [], 5))
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(shots, again, strict=True))


def test_pictures_of_no_plane_are_shown_between_visits():
    bright = RealPicture(np.full((300, 400), 250, np.uint8), "lung", "l.png", "l", "other")
    shots = list(shots_of([still("femur", 90)] * 6, [bright], 6))
    assert any(shot.truth == "other" and shot.pixels.mean() > 150 for shot in shots)
    assert all(shot.pixels.mean() < 150 for shot in shots if shot.truth == "femur")
