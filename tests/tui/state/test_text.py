import unicodedata
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import EventName
from fetalstream.tui.state.text import EVENT_WORDS, clock, event_words, label_words, plain, span, stopwatch, weeks_days


@given(st.text(max_size=300), st.integers(1, 60))
def test_nothing_that_a_terminal_could_obey_passes(wild: str, limit: int) -> None:
    shown = plain(wild, limit)
    assert len(shown) <= limit
    assert not any(unicodedata.category(c).startswith("C") or c in "\n\r\t\u2028" for c in shown)


def test_escapes_lose_their_escape_and_the_words_stay() -> None:
    assert plain("\x1b[31mred\x1b]0;title\x07\u202eevil\x9b2J") == "[31mred]0;titleevil2J"
    assert plain("two\nlines\tand  blanks") == "two lines and blanks"
    assert plain("a long name of a stream", 8) == "a long…"


def test_a_megabyte_is_cut_before_it_is_looked_at() -> None:
    assert len(plain("x" * 1_000_000, 20)) == 20


@pytest.mark.parametrize(
    ("days", "shown"), [(143, "20w3d"), (142.6, "20w3d"), (139.6, "20w0d"), (98, "14w0d"), (272, "38w6d")]
)
def test_age_is_completed_weeks_and_days(days: float, shown: str) -> None:
    assert weeks_days(days) == shown


def test_times_are_short() -> None:
    assert [span(s) for s in (0.4, 12, 99, 180, 7200)] == ["now", "12s", "99s", "3min", "2h"]
    assert [stopwatch(s) for s in (0, 75, 3725)] == ["0:00", "1:15", "1:02:05"]


def test_a_wall_time_that_is_none_shows_nothing() -> None:
    assert len(clock("2026-01-02T10:00:00Z")) == 8
    assert clock("yesterday") == clock("") == ""


def test_labels_that_are_not_known_are_shown_as_they_are() -> None:
    assert label_words("lips_nose") == "lips & nose"
    assert label_words("umbilical_cord\x1b") == "umbilical c…"


@pytest.mark.parametrize("event", get_args(EventName))
def test_every_event_that_is_emitted_has_words(event: EventName) -> None:
    assert event in EVENT_WORDS


def test_an_event_tells_what_an_operator_needs() -> None:
    detail: dict[str, object] = {"text": "ask Dr \x1b[2J", "index": 3, "pts_seconds": 0.1}
    assert event_words("mark", detail) == "Mark · ask Dr [2J"
    assert event_words("spacing_changed", {"spacing_mm": 0.21, "spacing_from": "operator"}) == ("Scale · 0.210 mm/px")
    assert event_words("source_warning", {"text": "cut short"}) == "Source · cut short"
    assert event_words("signal_lost", {"state": "black", "index": 7}) == "No scan in the picture"
    assert event_words("probe_changed", {"to": "C5", "gain": 0.333333, "nested": {}}) == (
        "probe changed · to C5 · gain 0.333"
    )
