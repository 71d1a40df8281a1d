from pathlib import Path

import msgspec
import pytest

from fetalstream.pipeline.wire import Counts, Message
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.session import Session, opened, reduce
from fetalstream.tui.widgets import bars, palette
from fetalstream.tui.widgets.event_log import event_row
from tests.tui import scan
from tests.tui.scan import SECOND, START


def told(*messages: Message) -> Session:
    session = opened(Session(), scan.STATE)
    for message in messages:
        session = reduce(session, message, message.published_ns)
    return session


@pytest.mark.parametrize("width", [60, 80, 140, 200])
def test_every_row_fits_its_width(width: int) -> None:
    session = told(scan.reading(START), scan.health(START), scan.reading(START, stream="x" * 50))
    view = session.streams["stream-1"]
    for row in (
        bars.header(session, view, START, width, paused_s=75.0),
        bars.streams(session, "stream-1", START, width),
        bars.health(view, START, width),
        event_row(scan.event(START, text="y" * 300), width),
    ):
        assert row.cell_len <= width


def test_the_header_says_uncalibrated_until_told_otherwise() -> None:
    session = told(scan.reading(START))
    assert "UNCALIBRATED" in bars.header(session, session.streams["stream-1"], START, 80, paused_s=None).plain
    session = told(scan.reading(START, calibrated=True))
    assert "UNCALIBRATED" not in bars.header(session, session.streams["stream-1"], START, 80, paused_s=None).plain


def test_the_header_tells_the_scale_of_now() -> None:
    zoomed = msgspec.structs.replace(scan.frame(START), spacing_mm=0.333)
    for messages, words in (((), "0.210 mm/px"), ((scan.reading(START, frame=zoomed),), "0.333 mm/px")):
        session = told(*messages)
        assert words in bars.header(session, session.streams["stream-1"], START, 140, paused_s=None).plain


def test_health_tells_rates_latency_losses_and_age() -> None:
    view = told(scan.reading(START), scan.health(START)).streams["stream-1"]
    shown = bars.health(view, START + SECOND // 2, 140).plain
    for words in ("30.0", "29.7", "p50 23", "p99 61", "dropped 8", "failed 0", "0.5 s", "cpu"):
        assert words in shown


def test_losses_stand_out() -> None:
    view = told(scan.health(START, counts=Counts(failed=3))).streams["stream-1"]
    row = bars.health(view, START, 140)
    assert any(palette.BAD in str(span.style) and row.plain[span.start : span.end] == "3" for span in row.spans)


def test_an_engine_that_says_nothing_for_three_seconds_is_called_silent() -> None:
    view = told(scan.health(START)).streams["stream-1"]
    assert "SILENT" not in bars.health(view, START + 2 * SECOND, 80).plain
    assert "SILENT" in bars.health(view, START + 4 * SECOND, 80).plain


def test_an_age_that_does_not_fit_its_tab_is_left_out() -> None:
    session = told(*(scan.reading(START, stream=f"stream-{i}") for i in range(1, 6)))
    assert "20w" not in bars.streams(session, "stream-1", START, 100).plain
    assert "20w3d" in bars.streams(session, "stream-1", START, 200).plain


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_header_never_hides_that_nothing_is_recorded_or_calibrated(width: int) -> None:
    session = told(scan.reading(START, stream="stream-12345678"))
    view = session.streams["stream-12345678"]
    tape = RecordingStatus(Path("x"), "No space left on device")
    late = START + 2 * SECOND
    shown = bars.header(session, view, late, width, paused_s=75.0, recording=tape)
    for words in ("PAUSED 1:15", "STALE 2.0 s", "NOT RECORDING", "UNCALIBRATED"):
        assert words in shown.plain
    assert shown.cell_len <= width
    assert "REC" not in bars.header(session, view, START, width, paused_s=None).plain
    assert (
        "● REC" in bars.header(session, view, START, width, paused_s=None, recording=RecordingStatus(Path("x"))).plain
    )


def test_the_screen_lag_is_shown_on_the_smallest_screen_too() -> None:
    counts = Counts(captured=12_000, dropped=1234)
    view = told(scan.reading(START), scan.health(START, counts=counts)).streams["stream-1"]
    assert "lag 0.0 s" in bars.health(view, START, 80).plain
