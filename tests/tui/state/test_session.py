from dataclasses import replace

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import Goodbye, Message
from fetalstream.tui.state.freshness import badge
from fetalstream.tui.state.session import (
    MAX_EVENTS,
    MAX_STREAMS,
    MAX_TREND,
    PLANES,
    Session,
    StreamView,
    opened,
    reduce,
)
from tests.tui import scan
from tests.tui.scan import SECOND, START


def folded(*messages: Message, session: Session | None = None, late_ns: int = 0) -> Session:
    session = session or Session()
    for message in messages:
        session = reduce(session, message, message.published_ns + late_ns)
    return session


def view(session: Session, stream: str = "stream-1") -> StreamView:
    return session.streams[stream]


def test_a_reading_is_shown_and_feeds_the_trend() -> None:
    shown = view(folded(scan.reading(START), scan.reading(START + 2 * SECOND, seq=1, gestation=scan.age(150))))
    assert shown.reading is not None
    assert shown.reading.seq == 1
    assert [(p.seconds, p.days) for p in shown.trend] == [(0.0, 143.0), (2.0, 150.0)]
    assert shown.reading_age_s(START + 3 * SECOND) == 1.0


def test_an_older_reading_never_replaces_a_newer_one() -> None:
    shown = view(folded(scan.reading(START + SECOND, seq=5), scan.reading(START, plane="femur", seq=4)))
    assert shown.reading is not None
    assert shown.reading.plane == "brain"


def test_the_last_age_stays_known_while_no_brain_is_in_view() -> None:
    shown = view(folded(scan.reading(START), scan.reading(START + SECOND, "femur", seq=1)))
    assert shown.gestation == scan.age()
    assert shown.gestation_ns == START


def test_a_new_exam_empties_what_was_measured_and_late_messages_do_not_bring_it_back() -> None:
    session = folded(scan.reading(START), scan.keyframe(START + 1), scan.event(START + 2), scan.health(START + 3))
    session = folded(scan.reading(START + SECOND, "femur", exam="exam-b", seq=1), session=session)
    late = [scan.keyframe(START + 2 * SECOND, exam="exam-a"), scan.reading(START + 2 * SECOND, exam="exam-a", seq=9)]
    shown = view(folded(*late, session=session))
    assert shown.exam == "exam-b"
    assert not shown.best
    assert not shown.trend
    assert shown.gestation is None
    assert shown.health is not None
    assert len(shown.events) == 1


def test_a_message_of_an_exam_never_heard_of_but_older_than_the_newest_is_past() -> None:
    session = folded(scan.reading(START + SECOND, exam="exam-b"), scan.keyframe(START, exam="exam-a"))
    assert view(session).exam == "exam-b"
    assert not view(session).best


def test_another_run_of_the_engine_starts_over_and_the_one_before_is_over() -> None:
    session = folded(scan.reading(START, seq=100), scan.reading(START + SECOND, "femur", run="run-b", seq=0))
    session = folded(scan.reading(START + 2 * SECOND, seq=101), session=session)
    shown = view(session)
    assert session.run == "run-b"
    assert shown.reading is not None
    assert shown.reading.plane == "femur"
    assert shown.preview is None


def test_the_newest_keyframe_is_the_best_and_a_snapshot_only_counts() -> None:
    shown = view(
        folded(
            scan.keyframe(START, score=0.5),
            scan.keyframe(START + 2, score=0.8),
            scan.keyframe(START + 1, score=0.6),
            scan.keyframe(START + 3, score=0.1, chosen_by="operator"),
        )
    )
    assert shown.best["brain"].score == 0.8
    assert shown.snapshots == 1


def test_what_waited_in_a_queue_counts_as_old() -> None:
    session = folded(scan.reading(START))
    session = reduce(session, scan.reading(START + SECOND, seq=1), START + 5 * SECOND)
    assert view(session).reading_age_s(START + 5 * SECOND) == 4.0


def test_a_publisher_with_another_clock_is_not_old() -> None:
    session = folded(scan.reading(START), late_ns=10**15)
    assert view(session).reading_age_s(START + 10**15) == 0.0


def test_the_time_from_capture_to_publication_counts_as_age() -> None:
    slow = replace_captured(START - 2 * SECOND)
    assert view(folded(slow)).reading_age_s(START) == 2.0


def replace_captured(captured_ns: int) -> Message:
    return scan.reading(START, frame=scan.frame(captured_ns))


def test_a_recording_played_slowly_does_not_grow_old() -> None:
    session = replace(folded(scan.reading(START)), replay=True)
    session = reduce(session, scan.reading(START + SECOND, seq=1), START + 9 * SECOND)
    assert view(session).reading_age_s(START + 9 * SECOND) == 0.0


def test_a_goodbye_ends_its_run_only() -> None:
    bye = Goodbye(run="run-a", reason="source ended")
    assert view(folded(scan.reading(START), bye)).ended == "source ended"
    old = Goodbye(run="run-0", reason="x")
    assert view(folded(scan.reading(START), old)).ended is None


def test_a_source_that_has_ended_stays_so_whatever_else_is_said_of_it() -> None:
    after = [scan.health(START + SECOND, state="lost"), scan.keyframe(START + SECOND)]
    ended = view(folded(scan.reading(START), scan.event(START, "source_ended"), *after))
    assert ended.ended == "its source has ended"
    assert badge(ended, START + 9 * SECOND).words == "ENDED"
    assert view(folded(scan.event(START, "source_ended"), scan.event(START + 1, "source_back"))).ended is None


def test_what_is_refilled_after_the_goodbye_does_not_bring_a_run_back() -> None:
    bye = Goodbye(run="run-a", stream="stream-1", reason="done")
    assert view(folded(scan.reading(START), bye, scan.reading(START + 1, seq=1))).ended == "done"


def test_memory_is_bounded_however_long_the_exam() -> None:
    session = Session()
    for i in range(MAX_TREND + 250):
        at = START + i * SECOND
        session = folded(scan.reading(at, seq=i), scan.event(at), session=session)
    shown = view(session)
    assert MAX_TREND // 2 < len(shown.trend) <= MAX_TREND
    assert shown.trend[0].seconds == 0.0
    assert [p.seconds for p in shown.trend] == sorted(p.seconds for p in shown.trend)
    assert len(shown.events) == MAX_EVENTS


def test_streams_beyond_what_can_be_shown_are_left_out() -> None:
    session = folded(*(scan.health(START, stream=f"s{i}") for i in range(MAX_STREAMS + 5)))
    assert len(session.streams) == MAX_STREAMS


def test_the_state_names_streams_and_model_before_any_message() -> None:
    session = opened(Session(), scan.STATE)
    assert session.names == ("stream-1",)
    assert session.calibrated is False
    assert session.model.precision == "fp32"
    assert view(session).labels == PLANES


def test_who_joins_late_counts_the_exam_from_its_beginning() -> None:
    (told,) = scan.STATE.streams
    began = msgspec.structs.replace(told, exam=scan.reading(START).exam, exam_began_ns=START - 90 * SECOND)
    session = opened(Session(), msgspec.structs.replace(scan.STATE, streams=[began]))
    late = folded(scan.reading(START), session=session)
    assert view(late).exam_started_ns == START - 90 * SECOND
    assert [point.seconds for point in view(late).trend] == [90.0]
    other = folded(scan.reading(START, exam="another"), session=session)
    assert view(other).exam_started_ns == START


def test_the_models_own_planes_are_listed_where_it_has_spoken() -> None:
    planes = scan.scores(("cord", "head", "other"), "head")
    assert view(folded(scan.reading(START, planes=planes, plane="head"))).labels == ("cord", "head")


kinds = st.sampled_from(["reading", "keyframe", "event", "health", "preview"])


@given(st.lists(st.tuples(kinds, st.integers(0, 9), st.sampled_from("ab"), st.sampled_from("ab")), max_size=30))
def test_nothing_of_one_exam_is_ever_shown_in_another(sent: list[tuple[str, int, str, str]]) -> None:
    session = Session()
    for i, (kind, seconds, run, exam) in enumerate(sent):
        message = (
            getattr(scan, kind)(START + seconds * SECOND, run=f"run-{run}", exam=f"exam-{exam}", seq=i)
            if (kind != "event")
            else scan.event(START + seconds * SECOND)
        )
        session = reduce(session, message, START + i * SECOND, b"picture")
        for shown in session.streams.values():
            if shown.reading is not None:
                assert (shown.reading.run, shown.reading.exam) == (shown.run, shown.exam)
            assert (shown.run, shown.exam) not in shown.past
            assert shown.lag_ns >= 0
