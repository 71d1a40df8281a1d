"""The time that the screen shows, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from fetalstream.pipeline.wire import Message
from fetalstream.tui.dashboard.past import SCRUB_S, SPEEDS, Past, faster
from tests.tui import scan
from tests.tui.plain_host import PlainHost
from tests.tui.scan import SECOND, START, Clock


class Film:
    """A recording of a minute that stands at its half."""

    folder = Path("/nowhere")
    duration = 60.0

    def __init__(self) -> None:
        self.seconds, self.speed = 30.0, 1.0

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def seek(self, seconds: float) -> list[tuple[Message, bytes | None]]:
        self.seconds = seconds
        return [(scan.reading(START), None)]


def minute(host: PlainHost, past: Past, clock: Clock) -> None:
    """A minute in which every second has its own plane's reading."""
    for second in range(60):
        host.session = scan.session(scan.reading(clock(), seq=second, exam=f"exam-{second}"))
        past.keep(clock())
        clock.forward(1)


def made(player: Film | None = None) -> tuple[PlainHost, Past, Clock, list[int]]:
    host, clock, rebuilt = PlainHost(selected="stream-1"), Clock(), list[int]()
    return host, Past(host, clock, player, lambda messages: rebuilt.append(len(messages))), clock, rebuilt


def exam(past: Past, clock: Clock) -> str:
    return past.shown(clock())[0].streams["stream-1"].exam


def test_what_is_shown_is_what_is_known_until_it_is_held() -> None:
    host, past, clock, _ = made()
    minute(host, past, clock)
    assert past.shown(clock()) == (host.session, clock())
    past.toggle_hold()
    before = host.session
    host.session = scan.session(scan.reading(clock(), seq=99, exam="later"))
    clock.forward(7)
    assert past.shown(clock()) == (before, clock() - 7 * SECOND)
    past.toggle_hold()
    assert exam(past, clock) == "later"


def test_scrubbing_moves_by_steps_of_five_seconds_from_where_it_is_held() -> None:
    host, past, clock, _ = made()
    minute(host, past, clock)
    past.scrub(-1)
    assert exam(past, clock) == f"exam-{60 - SCRUB_S:.0f}"
    clock.forward(3)
    past.scrub(-2)
    assert exam(past, clock) == f"exam-{60 - 3 * SCRUB_S:.0f}"
    past.scrub(1)
    assert exam(past, clock) == f"exam-{60 - 2 * SCRUB_S:.0f}"


def test_scrubbing_beyond_now_is_live_again() -> None:
    host, past, clock, _ = made()
    minute(host, past, clock)
    past.scrub(-1)
    past.scrub(2)
    assert past.held is None


def test_scrubbing_beyond_the_beginning_stays_at_the_first_moment() -> None:
    host, past, clock, _ = made()
    minute(host, past, clock)
    past.scrub(-1000)
    assert exam(past, clock) == "exam-0"


def test_without_a_moment_kept_nothing_is_held() -> None:
    _, past, _, _ = made()
    past.scrub(-1)
    assert past.held is None


def test_back_to_now_takes_the_word_about_the_past_away() -> None:
    host, past, clock, _ = made()
    minute(host, past, clock)
    past.show_moment(START)
    assert past.held is not None
    assert host.said is not None
    past.to_now()
    assert past.held is None
    assert host.said is None


@pytest.mark.parametrize(("steps", "seconds"), [(-1, 25.0), (6, 60.0), (1, 35.0)])
def test_a_recording_is_moved_instead_of_held(steps: int, seconds: float) -> None:
    film = Film()
    _, past, _, rebuilt = made(film)
    past.scrub(steps)
    assert film.seconds == seconds
    assert rebuilt == [1]
    assert past.held is None


def test_a_recording_is_paused_and_played() -> None:
    film = Film()
    _, past, _, _ = made(film)
    past.toggle_hold()
    assert (film.speed, past.held) == (0.0, None)
    past.toggle_hold()
    assert film.speed == 1.0


def test_the_end_of_a_recording_is_its_now() -> None:
    film = Film()
    _, past, _, rebuilt = made(film)
    past.to_now()
    assert film.seconds == film.duration
    assert rebuilt == [1]


def test_speeds_go_up_and_down_to_their_ends() -> None:
    assert [faster(1.0, 1), faster(8.0, 1), faster(0.25, -1), faster(1.0, -1)] == [2.0, 8.0, 0.25, 0.5]
    assert faster(3.1, 1) == 8.0  # from the nearest one
    assert faster(0.0, 0) == SPEEDS[0]


def test_another_speed_is_said_and_only_of_a_recording() -> None:
    film = Film()
    host, past, _, _ = made(film)
    past.change_speed(1)
    assert film.speed == 2.0
    assert host.said == ("Played at 2×", "quiet")
    host, past, _, _ = made()
    past.change_speed(1)
    assert host.said is None


def test_a_moment_is_found_by_words_and_shown() -> None:
    host, past, clock, _ = made()
    host.session = scan.session(scan.reading(START), scan.event(START + SECOND, text="a fold"))
    past.keep(clock())
    clock.forward(30)
    past.find()
    assert host.answer("FOLD").question == "A plane, a word of a note, an event"
    assert host.answer(0).choices == ("0:01  Mark · a fold",)
    assert past.held is not None
    assert host.lines == [("As it was 0:29 ago, as far as it is kept; end leads back", "quiet")]


def test_words_that_nothing_holds_are_answered_and_leaving_is_not() -> None:
    host, past, _, _ = made()
    host.session = scan.session(scan.reading(START))
    for words in (None, ""):
        past.find()
        host.answer(words)
        assert host.said is None
    past.find()
    host.answer("moon")
    assert host.said == ("Nothing of that in this exam", "warn")
    assert host.questions == []


def test_without_a_stream_nothing_is_asked() -> None:
    host, past, _, _ = made()
    host.selected = None
    past.find()
    past.show_moment(START)
    assert (host.questions, past.held) == ([], None)
