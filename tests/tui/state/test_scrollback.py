import pytest

from fetalstream.tui.state.scrollback import KEPT_EVERY_NS, KEPT_FOR_NS, Scrollback
from fetalstream.tui.state.session import Session
from tests.tui.scan import SECOND, START


def filled(seconds: int, per_second: int = 4) -> Scrollback:
    past = Scrollback()
    for tick in range(seconds * per_second):
        past.add(Session(run=str(tick)), START + tick * SECOND // per_second)
    return past


def test_it_keeps_two_moments_a_second_however_often_it_is_given_one() -> None:
    past = filled(10, per_second=20)
    assert len(past._moments) == 10 * SECOND // KEPT_EVERY_NS


def test_a_moment_is_the_last_one_kept_before_it() -> None:
    past = filled(10)
    session, at_ns = past.at(START + 3 * SECOND + 499_000_000) or (None, 0)
    assert session == Session(run="12")
    assert at_ns == START + 3 * SECOND


def test_a_moment_kept_is_found_at_its_own_time() -> None:
    past = filled(10)
    assert past.at(START + 4 * SECOND) == (Session(run="16"), START + 4 * SECOND)


@pytest.mark.parametrize("before_s", [1, 10_000])
def test_before_everything_the_first_moment_is_shown(before_s: int) -> None:
    past = filled(10)
    assert past.at(START - before_s * SECOND) == (Session(run="0"), START)


def test_after_everything_the_last_moment_is_shown() -> None:
    past = filled(10)
    assert past.at(START + 10_000 * SECOND) == (Session(run="38"), START + 9 * SECOND + SECOND // 2)


def test_it_forgets_what_is_older_than_five_minutes() -> None:
    past = filled(400, per_second=1)
    (_, first_ns) = past.at(START) or (None, 0)
    assert first_ns == START + 399 * SECOND - KEPT_FOR_NS


def test_empty_it_has_no_moment() -> None:
    past = filled(3)
    past.clear()
    assert past.at(START) is None
