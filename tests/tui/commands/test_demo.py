from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands.demo import words

RESULT = {
    "plane_accuracy": 0.9631, "other_recall": 0.95, "gestation_median_error_days": 3.25, "gestation_frames": 412,
    "scored_frames": 1500, "fps": 61.4, "captured": 1800, "analysed": 1700, "reused": 100, "dropped": 0, "failed": 0,
    "seed": 7, "seconds": 60.0, "model": "mini", "calibrated": True, "notice": NOTICE,
}  # fmt: skip


def test_the_result_reads_well():
    lines = words(RESULT)
    assert lines[0] == "Phantom 7, 60 s at 30 fps, model mini"
    assert "96.3% of 1500 frames" in lines[3]
    assert lines[5].endswith("median error 3.2 days on 412 brain frames")
    assert lines[-1] == NOTICE
    assert max(map(len, lines)) <= 100


def test_what_could_not_be_judged_is_said_so():
    unknown = dict.fromkeys(("plane_accuracy", "other_recall", "gestation_median_error_days"))
    lines = words({**RESULT, **unknown, "calibrated": False})
    assert "UNCALIBRATED" in lines[0]
    assert "nothing to judge" in lines[3]
    assert lines[5].endswith("none read")
