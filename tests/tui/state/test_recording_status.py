from pathlib import Path

from fetalstream.tui.run.supervise import Child, Command
from fetalstream.tui.state.recording_status import RecordingStatus, heard


def test_what_the_recorder_says_is_what_is_known() -> None:
    tape = heard(RecordingStatus(), "Recorder: no engine answers")
    assert tape == RecordingStatus()
    assert not tape.runs
    tape = heard(tape, "Recording into /a b/c")
    assert tape == RecordingStatus(Path("/a b/c"))
    assert tape.runs
    full = heard(tape, "NOT RECORDING: No space left on device in /a b; it goes on as soon as that is mended")
    assert full.folder == tape.folder
    assert full.trouble is not None
    assert full.trouble.startswith("No space left")
    assert not full.runs
    assert heard(full, "Recording into /a b/c").runs


def test_a_recorder_that_dies_records_nothing_until_it_is_back(tmp_path: Path) -> None:
    child = Child(Command("recorder", ["false"]), tmp_path / "log")
    child._died(-9, 0.0)
    (line,) = child.deaths()
    dead = heard(RecordingStatus(Path("x")), line)
    assert not dead.runs
    assert heard(dead, "Recording into x").runs
