"""A whole run over a source on the network: its capture dies, its source goes and comes back, and nobody else minds."""

import json
import signal

import psutil
import pytest

from tests.streamer.ts_server import TsServer
from tests.tui.live_run import LiveRun, rows
from tests.waiting import until


def captures(run):
    """Processes that capture for the run's engine."""
    engine = run.child("engine")
    children = [] if engine is None else engine.children()
    return [each for each in children if "capture.child_main" in " ".join(each.cmdline())]


def events(session):
    found = rows(session, "SELECT header FROM messages WHERE kind = 'event' ORDER BY rowid")
    return [json.loads(row[0]) for row in found]


def told(session, name):
    return [event["detail"] for event in events(session) if event["event"] == name]


@pytest.mark.timeout(300)
def test_a_run_outlives_its_capture_and_its_source():
    with TsServer() as server, LiveRun(server.url.replace("//", "//me:s3cret@")) as run:
        session = run.wait_recording()
        engine = run.child("engine").pid
        (capture,) = captures(run)

        capture.send_signal(signal.SIGSEGV)
        until(lambda: told(session, "source_warning"))
        assert {"text": "capture died (signal 11); it is started again"} in told(session, "source_warning")
        before = len(run.seqs(session))
        until(lambda: len(run.seqs(session)) > before + 10)

        server.kill()
        until(lambda: told(session, "source_lost"))
        assert told(session, "source_lost")[0]["reason"]
        with TsServer(server.port, 400, 304):
            until(lambda: told(session, "source_back"))
            before = len(run.seqs(session))
            until(lambda: len(run.seqs(session)) > before + 10)
        last = json.loads(rows(session, "SELECT header FROM messages WHERE kind = 'reading' ORDER BY seq DESC")[0][0])
        assert last["frame"]["epoch"] >= 2

        assert run.child("engine").pid == engine
        (capture,) = captures(run)
        assert run.stop() == 0, run.log.read_text()
        until(lambda: not capture.is_running() or capture.status() == psutil.STATUS_ZOMBIE)
        seqs = run.seqs(session)
        assert seqs == list(range(len(seqs)))
        everything = run.log.read_text() + "".join(map(str, rows(session, "SELECT header FROM messages")))
        assert "s3cret" not in everything
        assert "Traceback" not in everything
