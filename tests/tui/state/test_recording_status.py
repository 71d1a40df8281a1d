from pathlib import Path

import pytest

from fetalstream.tui.state.recording_status import RecorderReport, RecordingStatus, read_report

INTO = RecorderReport(state="recording", folder="/a b/c")
FULL = RecorderReport(
    state="not_recording", text="No space left on device in /a b; it goes on as soon as that is mended"
)
DIED = RecorderReport(state="died", text="The recorder died (signal 9); it is started again")
NOTE = RecorderReport(state="note", text="Recorder: no engine answers")


def test_the_status_follows_the_recorders_reports() -> None:
    status = RecordingStatus().after(NOTE)
    assert status == RecordingStatus()
    assert not status.runs
    status = status.after(INTO)
    assert status == RecordingStatus(Path("/a b/c"))
    assert status.runs
    full = status.after(FULL)
    assert full.folder == status.folder
    assert full.trouble == FULL.text
    assert not full.runs
    assert full.after(NOTE) == full
    assert full.after(INTO).runs


def test_a_recorder_that_dies_records_nothing_until_it_is_back() -> None:
    dead = RecordingStatus(Path("x")).after(DIED)
    assert not dead.runs
    assert dead.trouble == DIED.text
    assert dead.after(INTO).runs


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (INTO, "Recording into /a b/c"),
        (FULL, f"NOT RECORDING: {FULL.text}"),
        (DIED, DIED.text),
        (NOTE, NOTE.text),
    ],
)
def test_a_report_is_a_line_of_json_for_processes_and_words_for_people(report: RecorderReport, words: str) -> None:
    assert "\n" not in report.line()
    assert read_report(report.line()) == report
    assert report.words == words


@pytest.mark.parametrize(
    "line", ["Traceback (most recent call last):", '  File "x.py", line 3', "{}", '{"state": "dancing"}', "12", ""]
)
def test_any_other_line_is_a_note_with_its_own_words(line: str) -> None:
    assert read_report(line) == RecorderReport(state="note", text=line)


def test_a_line_of_a_newer_recorder_is_understood_as_far_as_it_goes() -> None:
    assert read_report('{"state":"recording","folder":"/s","speed":3}') == RecorderReport(
        state="recording", folder="/s"
    )
