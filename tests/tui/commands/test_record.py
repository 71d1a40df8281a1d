import threading
from pathlib import Path

import pytest

from fetalstream.tui import cli
from tests.scripted_engine import ScriptedEngine
from tests.tui.recorders import folder_of, hears, seqs


def test_the_recorder_alone_writes_a_session_and_ends_with_the_engine(
    engine: ScriptedEngine, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def scan() -> None:
        hears(engine, out)
        engine.read(3)
        engine.goodbye()

    scanning = threading.Thread(target=scan)
    scanning.start()
    try:
        assert cli.main(["record", engine.endpoints.control, "--out", str(out)]) == 0
    finally:
        scanning.join()
    assert seqs(folder_of(out), "reading") == [0, 1, 2]
    assert capsys.readouterr().err == f"Recording into {folder_of(out)}\n"
