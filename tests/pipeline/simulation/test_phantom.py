import math

import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.loaded_pipeline import load_pipeline
from fetalstream.pipeline.simulation.phantom import (
    JudgedFrame,
    keyframe_regrets,
    phantom_metrics,
    read_frames,
    write_frames,
)
from fetalstream.pipeline.simulation.phantom_run import frames_of


def scan(truth, in_plane, prediction, *, seed=1, best=(), days=None):
    """A scan at 10 frames a second; ``best`` are the indices of the brain's and abdomen's best frames."""
    rows = []
    for i, (label, hit, said) in enumerate(zip(truth, in_plane, prediction, strict=True)):
        body = "" if label == "other" else label
        age = (days, None if days is None else days - 5, None if days is None else days + 5, days)
        rows.append(
            JudgedFrame(seed, i, i / 10, label, body, hit, said, said, said, label if i in best else "", 140.0, *age)
        )
    return rows


def test_what_a_best_frame_falls_short():
    truth = ["brain"] * 12 + ["abdomen"] * 12 + ["femur"] * 3
    hits = [0.8] * 11 + [1.0] + [0.9] * 12 + [1.0] * 3
    rows = scan(truth, hits, truth, best=(0, 13))
    assert keyframe_regrets(rows) == pytest.approx([0.0, 0.2])  # the femur was in view for too short a time
    missing = scan(truth, hits, truth)
    assert keyframe_regrets(missing) == pytest.approx([0.9, 1.0])


def test_ages_and_their_intervals():
    truth = ["brain"] * 12
    rows = scan(truth, [1.0] * 12, truth, days=143.0, best=(0,)) + scan(truth, [1.0] * 12, truth, seed=2, days=146.0)
    found = phantom_metrics(rows)
    assert found["median_error_days"].value == 4.5
    assert found["interval_coverage"].value == 0.5
    assert found["keyframe_within_5_percent"].value == 0.5
    assert found["segment_f1"].value == 1.0


def test_nothing_to_judge_is_unknown():
    found = phantom_metrics(scan(["other"] * 12, [0.0] * 12, ["other"] * 12))
    assert found["median_error_days"].value is None
    assert found["keyframe_regret"].value is None
    assert found["other_recall"].value == 1.0


def test_the_figures_come_back_from_the_file(tmp_path):
    rows = frames_of(3, 4.0, load_pipeline())
    assert len(rows) == 120
    assert {row.prediction for row in rows} >= {"other"}
    assert all(math.isfinite(row.in_plane) for row in rows)
    write_frames(tmp_path / "frames.csv", rows)
    again = read_frames(tmp_path / "frames.csv")
    assert again is not None
    assert phantom_metrics(again) == phantom_metrics(rows)


def test_another_table_is_not_taken_for_frames(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("file,truth,prediction\n")
    assert read_frames(other) is None
    broken = tmp_path / "broken.csv"
    write_frames(broken, scan(["other"], [0.0], ["other"]))
    broken.write_text(broken.read_text().replace("0.0", "zero"))
    with pytest.raises(ConfigError, match="line 2"):
        read_frames(broken)
