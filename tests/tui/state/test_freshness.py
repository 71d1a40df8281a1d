from dataclasses import replace

import pytest

from fetalstream.tui.state.freshness import badge, freshness, offers_new_exam
from fetalstream.tui.state.session import Session, StreamView, reduce
from tests.tui import scan
from tests.tui.scan import SECOND, START


def after(*messages: object) -> StreamView:
    session = Session()
    for message in messages:
        session = reduce(session, message, message.published_ns)  # type: ignore[attr-defined, arg-type]
    return session.streams["stream-1"]


@pytest.mark.parametrize(
    ("age", "shown"), [(None, "waiting"), (0.0, "fresh"), (1.0, "fresh"), (1.1, "gray"), (3.0, "gray"), (3.1, "blank")]
)
def test_gray_after_one_second_and_blank_after_three(age: float | None, shown: str) -> None:
    assert freshness(age) == shown


def test_a_recording_never_turns_stale() -> None:
    assert freshness(60.0, replay=True) == "fresh"


@pytest.mark.parametrize(
    ("state", "words"),
    [("live", "LIVE"), ("frozen", "FROZEN"), ("black", "BLACK PICTURE"), ("no_signal", "NO SIGNAL")],
)
def test_the_badge_names_the_state_of_the_picture(state: str, words: str) -> None:
    assert badge(after(scan.reading(START, state=state)), START).words == words


def test_the_worst_wins() -> None:
    view = after(scan.reading(START), scan.health(START, state="lost"))
    assert badge(view, START).words == "LOST"
    assert badge(after(scan.reading(START), scan.health(START, paused=True)), START).words == "ENGINE PAUSED"
    assert badge(after(scan.reading(START)), START + 2 * SECOND).words == "STALE 2.0 s"
    assert badge(after(scan.reading(START)), START + 8 * SECOND).words == "NO DATA 8 s"
    assert badge(replace(view, ended="done"), START).words == "ENDED"
    assert badge(StreamView("s"), START).words == "WAITING"


def test_a_new_exam_is_offered_after_a_minute_without_a_picture() -> None:
    dark = scan.reading(START + 30 * SECOND, state="no_signal", seq=1)
    view = after(scan.reading(START), dark)
    assert not offers_new_exam(view, START + 59 * SECOND)
    assert offers_new_exam(view, START + 60 * SECOND)
    assert not offers_new_exam(StreamView("s"), START)
