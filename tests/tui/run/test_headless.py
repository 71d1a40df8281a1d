import io

from fetalstream.pipeline.wire import NOTICE, Goodbye
from fetalstream.tui.run.headless import IN_A_LOG_S, StatusLine, stream_words, summary
from fetalstream.tui.state.session import Session
from tests.tui import scan
from tests.tui.scan import SECOND, START


def line_after(*messages, terminal=False):
    out = io.StringIO()
    line = StatusLine(out, terminal=terminal)
    line.take([(message, None) for message in messages], START)
    return line, out


def test_a_stream_in_few_words():
    line, _ = line_after(scan.reading(START), scan.health(START))
    words = stream_words(line.session.streams["stream-1"], START)
    assert words.startswith("stream-1 LIVE · brain · 0.")
    assert "20w3d" in words
    assert words.endswith("dropped, 0 failed")


def test_a_log_gets_a_line_now_and_then():
    line, out = line_after(scan.reading(START))
    for tenth in range(5):
        line.update(START + tenth * SECOND // 10)
    line.update(START + round(IN_A_LOG_S * SECOND))
    assert out.getvalue().count("LIVE") + out.getvalue().count("NO DATA") == 2
    assert out.getvalue().count("\n") == 3  # with the notice
    assert "\x1b" not in out.getvalue()


def test_a_terminal_gets_one_line_that_is_written_over():
    line, out = line_after(scan.reading(START), terminal=True)
    line.update(START)
    line.update(START + SECOND)
    line.say("The engine died")
    assert out.getvalue().count("\r") == 4
    assert out.getvalue().count("\n") == 2  # the notice and the death


def test_the_notice_comes_first_and_last_and_uncalibrated_is_said():
    for calibrated in (False, True):
        line, out = line_after(scan.reading(START, calibrated=calibrated))
        line.update(START)
        noticed, told = out.getvalue().splitlines()
        assert noticed == NOTICE
        assert told.endswith("| UNCALIBRATED") is not calibrated
        assert summary(line.session)[-1] == NOTICE + ("" if calibrated else " | UNCALIBRATED")


def test_nothing_is_written_before_anything_is_known():
    line, out = line_after()
    line.update(START)
    assert out.getvalue() == ""
    assert summary(Session()) == []


def test_the_summary_says_what_came_of_it():
    line, _ = line_after(
        scan.reading(START), scan.keyframe(START), scan.health(START), Goodbye(stream="stream-1", reason="done")
    )
    words, _ = summary(line.session)
    assert "planes kept: brain" in words
    assert "age 20w3d" in words


def test_what_befalls_a_source_is_said_with_its_reason():
    lost = scan.event(START, "source_lost", reason="connection refused")
    _, out = line_after(lost, scan.event(START, "freeze", state="frozen"))
    assert out.getvalue() == "stream-1: Source lost · connection refused\n"
