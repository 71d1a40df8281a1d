from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import Quality
from fetalstream.tui.state.exam_history import MAX_SPANS, Span, extended, tried, zoomed
from fetalstream.tui.state.scrollback import KEPT_FOR_NS, Scrollback
from fetalstream.tui.state.session import Session
from tests.tui import scan
from tests.tui.scan import SECOND, START


def test_a_plane_in_view_is_one_span_until_another_comes() -> None:
    spans: tuple[Span, ...] = ()
    for seconds, plane in ((0, "brain"), (1, "brain"), (2, None), (3, "femur")):
        spans = extended(spans, plane, seconds)
    assert spans == (Span("brain", 0, 2), Span(None, 2, 3), Span("femur", 3, 3))


@given(st.lists(st.tuples(st.floats(0, 10), st.sampled_from(["brain", "femur", None])), max_size=60))
def test_spans_follow_each_other_whatever_comes(steps: list[tuple[float, str | None]]) -> None:
    spans: tuple[Span, ...] = ()
    for seconds, plane in steps:
        spans = extended(spans, plane, seconds)
    assert all(a.end_s == b.start_s and a.plane != b.plane for a, b in pairwise(spans))


def test_the_whole_exam_stays_in_bounded_memory() -> None:
    spans: tuple[Span, ...] = ()
    for second in range(10 * MAX_SPANS):
        spans = extended(spans, "brain" if second % 2 else "femur", second)
    assert len(spans) <= MAX_SPANS
    assert spans[0].start_s == 0


def test_the_best_try_of_the_last_seconds_is_kept() -> None:
    def quality(sharp: float) -> Quality:
        return Quality(sharpness=sharp, steadiness=0.9)

    tries = tried({}, scan.reading(START, quality=quality(0.8)))
    assert tried(tries, scan.reading(START + SECOND, quality=quality(0.2))) is tries
    later = tried(tries, scan.reading(START + 5 * SECOND, quality=quality(0.2)))
    assert later["brain"].parts["sharpness"] == 0.2
    assert tried({}, scan.reading(START, None)) == {}


def test_zooms_are_told_apart_at_five_percent() -> None:
    zooms = zoomed(zoomed({}, scan.reading(START)), scan.reading(START))
    assert [(zoom.spacing_mm, zoom.frames, zoom.days) for zoom in zooms.values()] == [(0.21, 2, 145.0)]


def test_the_past_can_be_had_again_for_a_while() -> None:
    history = Scrollback()
    assert history.at(START) is None
    sessions = [Session(run=str(second)) for second in range(400)]
    for second, session in enumerate(sessions):
        history.add(session, START + second * SECOND)
        history.add(Session(run="between"), START + second * SECOND + 1)
    assert history.at(START + 350 * SECOND + 5) == (sessions[350], START + 350 * SECOND)
    first = history.at(0)
    assert first is not None
    assert first[1] == START + 399 * SECOND - KEPT_FOR_NS
