"""The recorder as `run` starts it: settings in as a line of JSON, reports out as such lines."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fetalstream.pipeline.wire import lock
from fetalstream.tui.run import recorder_process
from fetalstream.tui.run.recorder_process import RecorderSettings
from fetalstream.tui.run.supervise import EXIT_CRASHED
from fetalstream.tui.state.recording_status import RecorderReport, read_report
from tests.scripted_engine import ScriptedEngine
from tests.tui.recorders import ROOT, folder_of, hears, seqs

MAIN = "import sys; from fetalstream.tui.run.recorder_process import main; sys.exit(main())"


def started(settings: RecorderSettings, before: str = "") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", before + MAIN], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(settings).decode() + "\n")
    process.stdin.flush()
    return process


@pytest.fixture
def settings(engine: ScriptedEngine, out: Path, tmp_path: Path) -> RecorderSettings:
    return RecorderSettings(endpoint=engine.endpoints.control, out=str(out), alive=str(tmp_path / "engine.lock"))


def test_it_reports_in_json_and_ends_with_the_engine(
    settings: RecorderSettings, engine: ScriptedEngine, out: Path
) -> None:
    process = started(settings)
    hears(engine, out)
    engine.read(2)
    engine.goodbye()
    output, log = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "")
    assert [read_report(line) for line in log.splitlines()] == [
        RecorderReport(state="recording", folder=str(folder_of(out)))
    ]
    assert seqs(folder_of(out), "reading") == [0, 1]


def test_it_outlives_the_foreground_as_long_as_an_engine_runs(
    settings: RecorderSettings, engine: ScriptedEngine, out: Path
) -> None:
    soon = "from fetalstream.tui.run import recorder_process as r; r.ENGINE_GONE_S = r._LOOK_EVERY_S = 0.05; "
    with lock(Path(settings.alive)):
        process = started(settings, soon)
        hears(engine, out)
        assert process.stdin is not None
        process.stdin.close()  # as the foreground's death does
        process.stdin = None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
    assert process.wait(60) == 0
    process.communicate()


def test_a_breakdown_is_an_exit_code_that_asks_for_another_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: RecorderSettings
) -> None:
    process = started(settings, "import fetalstream.tui.run.recorder_process as r; r.record = None; ")
    _, log = process.communicate(timeout=60)
    assert process.returncode == EXIT_CRASHED
    assert log.splitlines()[-1].startswith("the recorder broke down: TypeError")
    assert recorder_process.ENGINE_GONE_S > 1
