import pytest

from fetalstream.pipeline.wire import Message, Quality
from fetalstream.tui.settings.scan_protocols import protocol_names, read_protocol
from fetalstream.tui.state.moment_search import moments_with
from fetalstream.tui.state.protocol_progress import completeness, items, next_step, why
from fetalstream.tui.state.scan_protocol import ProtocolError, every_plane
from fetalstream.tui.state.session import PLANES, SUBPLANES, Session, StreamView, reduce
from tests.tui import scan
from tests.tui.scan import SECOND, START


def view(*messages: Message) -> StreamView:
    session = Session()
    for message in (scan.reading(START, None), *messages):
        session = reduce(session, message, message.published_ns)
    return session.streams["stream-1"]


@pytest.mark.parametrize("name", [name for name in protocol_names() if name != "planes"])
def test_the_protocols_that_come_with_it_name_their_source_and_known_labels(name: str) -> None:
    protocol = read_protocol(name)
    assert protocol is not None
    assert protocol.source
    assert protocol.url.startswith("https://")
    assert {each.plane for each in protocol.views if each.plane} <= set(PLANES)
    assert {each.subplane for each in protocol.views if each.subplane} <= set(SUBPLANES)
    assert any(not each.assessable for each in protocol.views)
    assert len({each.name for each in protocol.views}) == len(protocol.views)


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


def test_the_coach_says_why_a_try_did_not_do() -> None:
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


def test_moments_are_found_by_all_of_their_words() -> None:
    session = view(scan.event(START + SECOND, "mark", text="nuchal fold"), scan.reading(START + 2 * SECOND, seq=1))
    assert [moment.words for moment in moments_with(session, "FOLD mark")] == ["0:01  Mark · nuchal fold"]
    assert [moment.words for moment in moments_with(session, "brain")] == ["0:02  brain in view"]
    assert moments_with(session, "moon") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("title = 1", "title"),
        ("views = 3", "title"),
        ("enough = [", "TOML"),
        ("title='a'\nsource='b'\nviews=[{}]", "name"),
    ],
)
def test_a_protocol_that_cannot_be_used_is_one_line(tmp_path, words: str, told: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(words)
    with pytest.raises(ProtocolError) as caught:
        read_protocol(str(path))
    assert "\n" not in str(caught.value)


def test_unknown_protocols_are_refused_with_the_choice(tmp_path) -> None:
    with pytest.raises(ProtocolError, match="choose planes, fasp-20-week, isuog"):
        read_protocol("mine")
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_protocol(str(tmp_path / "absent.toml"))


def test_the_users_own_protocol_goes_before_ours(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "fetalstream" / "protocols"
    folder.mkdir(parents=True)
    (folder / "fasp-20-week.toml").write_text("title='mine'\nsource='me'\nviews=[{name='x'}]")
    protocol = read_protocol("fasp-20-week")
    assert protocol is not None
    assert protocol.title == "mine"
    assert every_plane(("a_b",)).views[0].name == "a b"
