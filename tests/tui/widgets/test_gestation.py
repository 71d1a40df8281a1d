from typing import get_args

import pytest

from fetalstream.pipeline.wire import GestationMissing, Message
from fetalstream.tui.state.session import Session, StreamView, reduce
from fetalstream.tui.state.text import MISSING_WORDS
from fetalstream.tui.widgets.gestation import gestation
from fetalstream.tui.widgets.letters import large
from tests.tui import scan
from tests.tui.scan import SECOND, START


def view(*messages: Message) -> StreamView:
    session = Session()
    for message in messages:
        session = reduce(session, message, message.published_ns)
    return session.streams["stream-1"]


@pytest.mark.parametrize("width", [40, 54])
def test_age_interval_and_what_it_rests_on(width: int) -> None:
    shown = gestation(view(scan.reading(START)), START, "fresh", width).plain
    big = large("20w3d")
    assert big is not None
    assert all(row in shown for row in big)
    for words in ("19w1d", "21w5d", "90%", "±", "124 frames", "3 zooms", "20w5d"):
        assert words in shown
    assert all(len(row) <= width for row in shown.split("\n"))


@pytest.mark.parametrize("reason", get_args(GestationMissing))
def test_every_reason_has_plain_words_that_fit_in_three_rows(reason: GestationMissing) -> None:
    told = view(scan.reading(START, "femur", gestation_missing=reason))
    shown = " ".join(gestation(told, START, "fresh", 40).plain.split())
    assert MISSING_WORDS[reason].split()[-1] in shown
    assert MISSING_WORDS[reason].split()[0] in shown


def test_the_last_age_is_told_with_how_long_ago_it_was() -> None:
    told = view(scan.reading(START), scan.reading(START + 5 * SECOND, "femur", seq=1))
    assert "last 20w3d, 12s ago" in gestation(told, START + 12 * SECOND, "fresh", 40).plain


def test_a_blank_screen_shows_no_age_as_if_it_were_live() -> None:
    shown = gestation(view(scan.reading(START)), START + 9 * SECOND, "blank", 40).plain
    assert "19w1d" not in shown
    assert "last 20w3d, 9s ago" in shown
