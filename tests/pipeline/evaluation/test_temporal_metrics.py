import math

import pytest

from fetalstream.pipeline.evaluation.temporal_metrics import LabelRun, runs, temporal_outcome


def judged(true, decided, fps=10.0):
    """Letters a frame: b brain, a abdomen, o other, - not scored."""
    names = {"b": "brain", "a": "abdomen", "o": "other", "-": ""}
    return temporal_outcome([i / fps for i in range(len(true))], [names[c] for c in true], [names[c] for c in decided])


def test_runs_are_maximal_and_cover_everything():
    assert runs(["x", "x", "y", "x"]) == [LabelRun("x", 0, 2), LabelRun("y", 2, 3), LabelRun("x", 3, 4)]
    assert runs([]) == []


def test_perfect_decisions():
    found = judged("ooooooo---bbbbb---ooooooo", "oooooooobbbbbbboooooooooo")
    assert found.metrics() == {
        "segment_f1": 1.0,
        "flicker_per_minute": 0.0,
        "naming_delay_seconds": 0.0,
        "other_recall": 1.0,
        "plane_accuracy": 1.0,
    }


@pytest.mark.parametrize(
    ("decided", "counts"),
    [
        ("oooobbbbbboooo", (1, 1, 1)),
        ("oooooobbbboooo", (1, 1, 1)),  # four of six in common
        ("oooooooobboooo", (0, 1, 1)),
        ("oooobbobbboooo", (1, 2, 1)),  # torn: the longer piece is half of it
        ("ooooaaaaaaoooo", (0, 1, 1)),
        ("oooooooooooooo", (0, 0, 1)),
        ("bbbbbbbbbbbbbb", (0, 1, 1)),  # six of fourteen
    ],
)
def test_segments_match_from_half_overlap(decided, counts):
    found = judged("oooobbbbbboooo", decided)
    assert (found.matched, found.decided, found.true) == counts


def test_frames_between_belong_to_no_segment():
    found = judged("oo----bbbb----oo", "obbbbbbbbbbbbboo")
    assert (found.matched, found.decided, found.true) == (1, 1, 1)
    found = judged("oo----bbbb----oo", "oobboobbbboaaooo")
    assert (found.matched, found.decided, found.true) == (1, 1, 1)


def test_one_change_a_stretch_is_no_flicker():
    assert judged("oooobbbbbb", "ooooobbbbb").flickers == 0
    assert judged("oooobbbbbb", "oooobobbbb").flickers == 2
    assert judged("oooo----bbbb", "oooobobobbbb").flickers == 3


def test_delay_counts_from_the_first_scored_frame():
    assert judged("oooobbbbbb", "oooooobbbb").delays_seconds == pytest.approx((0.2,))
    assert judged("oo--bbbbbb", "ooobbbbbbb").delays_seconds == (0.0,)
    assert judged("oooobbbbbb", "oooooooooo").delays_seconds == (math.inf,)
    assert judged("oooobbbbbb", "oooooooooo").metrics()["naming_delay_seconds"] is None


def test_other_is_judged_once_it_has_settled():
    found = judged("bbbbboooooooooo", "bbbbbbbbboooobb")
    assert (found.other_right, found.other_frames) == (3, 5)


def test_scans_add_up():
    both = judged("oooobbbbbb", "oooobbbbbb") + judged("oooobbbbbb", "oooooooooo")
    assert both.metrics()["segment_f1"] == pytest.approx(2 / 3)
    assert both.seconds == pytest.approx(2.0)
    assert len(both.delays_seconds) == 2


def test_nothing_to_judge_is_unknown():
    assert set(temporal_outcome([], [], []).metrics().values()) == {None}
