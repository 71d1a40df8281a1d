"""What the drawings show, read from their SVG; how they look is seen in a browser."""

from pathlib import Path

import pytest

from fetalstream.tui.commands.report import growth_context
from fetalstream.tui.record.exams import Exam, exams_of
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.report import plots
from fetalstream.tui.state.session import TrendPoint
from tests.tui.recorded import Scan, recorded


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    recording = Recording(recorded(tmp_path_factory.mktemp("sessions")))
    try:
        return exams_of(recording)[0]
    finally:
        recording.close()


def test_each_drawing_comes_wide_and_narrow_with_ids_of_its_own(exam: Exam) -> None:
    wide, narrow = plots.timeline(exam, "exam1-planes")
    assert 'class="wide"' in wide
    assert 'class="narrow"' in narrow
    assert 'id="exam1-planes-wide-' in wide
    assert 'id="exam1-planes-narrow-' in narrow


def test_the_timeline_has_a_row_for_each_plane_that_was_seen_and_one_for_the_signal(exam: Exam) -> None:
    wide, _ = plots.timeline(exam, "exam1")
    for words in ("brain", "femur", "no scan, frozen"):
        assert f">{words}<" in wide
    assert 'aria-label="planes in view over time"' in wide


def test_the_trend_shows_the_interval_and_frames_alone(exam: Exam) -> None:
    wide, _ = plots.trend(exam, "exam1")
    for words in ("90% interval", "age"):
        assert f">{words}<" in wide


def test_the_growth_chart_names_percentiles_and_this_examination() -> None:
    wide, _ = plots.growth(143.0, 134.0, 152.0, growth_context(143.0), "exam1")
    for words in ("2.5th to 97.5th percentile", "median", "this examination", "weeks", "head, mm"):
        assert f">{words}<" in wide


def test_without_a_plane_or_an_age_nothing_is_drawn(out: Path) -> None:
    with Scan(out) as made:
        made.tell("mark", text="alone")
    recording = Recording(made.store.folder)
    (empty,) = exams_of(recording)
    recording.close()
    assert plots.timeline(empty, "exam1") == []
    assert plots.trend(empty, "exam1") == []


@pytest.mark.parametrize(("span_days", "step"), [(3, 1), (5.9, 1), (8, 2), (20, 7), (59, 7), (80, 14)])
def test_ages_are_marked_in_days_then_weeks(span_days: float, step: int) -> None:
    point = TrendPoint(seconds=0.0, days=140.0, low_days=140.0, high_days=140.0 + span_days, frame_days=None)
    assert plots._step_days([point]) == step
