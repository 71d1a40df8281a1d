"""``fetalstream export``: a session for other programs, as tables and as DICOM images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fetalstream.tui.commands.loading import versions
from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.files import INSTALL, write_table
from fetalstream.tui.export.tables import tables_of
from fetalstream.tui.export.wanted import DICOM, EMBEDDINGS, TABLES, Export
from fetalstream.tui.record.exams import exams_of
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.record.session_files import make_folder, write_whole
from fetalstream.tui.record.vectors import export_index


def export(session: Path, wanted: Export, say: Callable[[str], None] = print) -> list[Path]:
    """Exports a session, which may still be recorded: what has been committed until now. May be called in any thread.

    Args:
        session: its folder.
        wanted: see `Export`.
        say: is told in one line what was sent, and what was left out.

    Returns:
        The files that were written.

    Raises:
        RecordingError: it is no session.
        ExportError: it cannot be done as it is wanted; one line that says what to do.
        OSError: a file could not be written.
    """
    recording = Recording(session)
    try:
        return _export(recording, wanted, say)
    finally:
        recording.close()


def _export(recording: Recording, wanted: Export, say: Callable[[str], None]) -> list[Path]:
    exam = _exam(recording, wanted)
    if (amiss := recording.amiss().words) is not None:
        say(amiss)
    written: list[Path] = []
    if wanted.out is not None:
        if wanted.out.resolve().is_relative_to(recording.folder.resolve()):
            raise ExportError(f"{wanted.out} is inside the session, which never holds a name: choose another --out")
        make_folder(wanted.out)
        tables = [form for form in TABLES if form in wanted.formats]
        for table in tables_of(recording, exam) if tables else []:
            written += write_table(table, wanted.out, tables)
        if EMBEDDINGS in wanted.formats:
            written.append(_embeddings(recording.folder, wanted.out))
    if DICOM in wanted.formats or wanted.pacs is not None:
        written += _images(recording, exam, wanted, say)
    return written


def _exam(recording: Recording, wanted: Export) -> str | None:
    exams = recording.exams()
    if wanted.exam is not None:
        if not 1 <= wanted.exam <= len(exams):
            raise ExportError(f"there is no examination {wanted.exam}: this session holds {len(exams)}")
        return exams[wanted.exam - 1]
    if wanted.identity.of_a_patient and len(exams) > 1:
        # Two examinations may be two patients: nobody's pictures go out under another one's name.
        raise ExportError(f"this session holds {len(exams)} examinations: say with --exam which one is this patient's")
    return None


def _embeddings(session: Path, out: Path) -> Path:
    try:
        return export_index(session, out)
    except ValueError as error:
        raise ExportError(str(error)) from error


def _images(recording: Recording, exam: str | None, wanted: Export, say: Callable[[str], None]) -> list[Path]:
    try:
        from fetalstream.tui.export.pacs import store
        from fetalstream.tui.export.secondary_capture import captures, file_of
    except ModuleNotFoundError as error:
        raise ExportError(f"{error.name} is missing: {INSTALL}") from error
    exams = [each for each in exams_of(recording) if exam in (None, each.exam)]
    found = list(captures(recording, exams, wanted.identity, versions().get("fetalstream", "unknown")))
    images = {each.name: each.dataset for each in found if each.dataset is not None}
    if len(found) > len(images):
        say(f"{len(found) - len(images)} of {len(found)} frames are left out: their pictures were not saved")
    if not images:
        raise ExportError(f"{recording.folder} holds no picture of a best frame")
    written: list[Path] = []
    if wanted.out is not None and DICOM in wanted.formats:
        folder = make_folder(wanted.out / "dicom")
        for name, dataset in images.items():
            write_whole(folder / f"{name}.dcm", file_of(dataset))
            written.append(folder / f"{name}.dcm")
    if wanted.pacs is not None:
        store(list(images.values()), wanted.pacs)
        say(f"{len(images)} images stored by {wanted.pacs}")
    return written
