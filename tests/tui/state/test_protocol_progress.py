from fetalstream.pipeline.wire import Message, Quality
from fetalstream.tui.settings.scan_protocols import read_protocol
from fetalstream.tui.state.protocol_progress import completeness, items, next_step, why
from fetalstream.tui.state.session import PLANES, Session, StreamView, reduce
from tests.tui import scan
from tests.tui.scan import SECOND, START


def view(*messages: Message) -> StreamView:
    session = Session()
    for message in (scan.reading(START, None), *messages):
        session = reduce(session, message, message.published_ns)
    return session.streams["stream-1"]


def test_views_the_model_cannot_judge_are_listed_and_not_counted() -> None:
    checked = items(read_protocol("fasp-20-week"), view(scan.keyframe(START, "femur", 0.8)), START)
    states = {item.view.name: item.state for item in checked}
    assert states["femur"] == "done"
    assert states["three vessels and trachea"] == "not assessable"
    assert completeness(checked) == "1 of 7 views"


def test_a_subplane_is_a_view_of_its_own() -> None:
    thalamic = scan.keyframe(START, "brain", 0.8, keyframe="t", subplane="trans-thalamic")
    cerebellar = scan.keyframe(START + 1, "brain", 0.9, keyframe="c", subplane="trans-cerebellum")
    checked = items(read_protocol("isuog-midtrimester"), view(thalamic, cerebellar), START)
    assert [item.state for item in checked[:3]] == ["missing", "done", "done"]


def test_the_checklist_says_why_a_try_was_not_enough() -> None:
    shaky = scan.reading(START + SECOND, "femur", seq=1, quality=Quality(sharpness=0.9, steadiness=0.21))
    checked = items(None, view(shaky), START + 13 * SECOND)
    advice = {item.view.plane: item.advice for item in checked}
    assert advice["femur"] == "12s ago: not steady (0.21)"
    assert advice["spine"] == "not seen yet"
    assert next_step(checked) == "still missing: femur, 12s ago: not steady (0.21)"


def test_a_weak_frame_is_not_enough_until_the_operator_says_so() -> None:
    parts = {"probability": 0.9, "margin": 0.9, "sharpness": 0.3, "steadiness": 0.9}
    weak = scan.keyframe(START, "femur", 0.2, parts=parts)
    protocol = read_protocol("fasp-20-week")
    found = next(item for item in items(protocol, view(weak), START) if item.view.plane == "femur")
    assert (found.state, found.advice) == ("weak", "not sharp (0.30)")
    accepted = scan.event(START, "decision", number=1, keyframe=weak.keyframe, verdict="accept")
    done = next(item for item in items(protocol, view(weak, accepted), START) if item.view.plane == "femur")
    assert done.state == "done"


def test_all_done_is_said() -> None:
    keyframes = [scan.keyframe(START, plane) for plane in PLANES]
    assert next_step(items(None, view(*keyframes), START)).startswith("all views")
    assert why({"margin": 0.9}) == ""
    assert why({}) == ""
