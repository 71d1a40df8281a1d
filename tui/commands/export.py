"""``fetalstream export``: a session for other programs, as tables and as DICOM images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fetalstream.tui.commands import option_values as values
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.option_parts import Commands, add_command, session_argument
from fetalstream.tui.commands.progress import say
from fetalstream.tui.errors import UsageError
from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.identity import Identity, read_identity
from fetalstream.tui.export.wanted import DEFAULT_FORMATS, DICOM, EMBEDDINGS, FORMATS, TABLES, Export, Pacs
from fetalstream.tui.run.model_loading import versions

if TYPE_CHECKING:
    from fetalstream.tui.record.replay import Recording


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(
        commands,
        "export",
        "write a past session for other programs: tables, DICOM images",
        "FORMATS is a list with commas: csv, jsonl, parquet (readings, events, keyframes, decisions),\n"
        "dicom (best frames), npz (image vectors). Identifiers go into the DICOM images, and are kept\n"
        "nowhere else.",
    )
    session_argument(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="where files go; never into the session")
    parser.add_argument("--format", type=_formats, metavar="FORMATS", default=DEFAULT_FORMATS, help="(csv,jsonl)")
    parser.add_argument("--exam", type=values.count, metavar="N", help="one examination only, from 1 (all)")
    archive = parser.add_argument_group("archive")
    archive.add_argument(
        "--pacs", type=values.address, metavar="HOST:PORT", help="store the best frames here (C-STORE)"
    )
    archive.add_argument(
        "--called-ae", type=_ae_title, metavar="AE", default="ANY-SCP", help="what it is called (ANY-SCP)"
    )
    archive.add_argument(
        "--ae-title", type=_ae_title, metavar="AE", default="FETALSTREAM", help="our name (FETALSTREAM)"
    )
    whose = parser.add_argument_group("identifiers")
    for name, metavar, words in (
        ("--patient-id", "ID", "of the patient"),
        ("--patient-name", "NAME", "FAMILY^GIVEN"),
        ("--patient-birth-date", "DATE", "YYYYMMDD"),
        ("--accession", "NUMBER", "of the order"),
        ("--study-id", "ID", "of the study"),
        ("--study-uid", "UID", "of a study that is there already (a new one)"),
    ):
        whose.add_argument(name, metavar=metavar, help=words)
    whose.add_argument("--identity", type=Path, metavar="FILE", help="TOML with patient_id = ... and so on, instead")
    return parser


def run(options: argparse.Namespace) -> int:
    """Export the session and print the files.

    Raises:
        UsageError: the files have no place to go.
        RecordingError, ExportError: see `export`.
    """
    if options.out is None and (options.pacs is None or options.format != DEFAULT_FORMATS):
        raise UsageError("give --out DIR for files, or --pacs HOST:PORT to store the best frames in an archive")
    wanted = Export(
        out=options.out, formats=options.format, exam=options.exam, identity=_identity(options), pacs=_pacs(options)
    )
    for path in export(options.session, wanted):
        print(path)
    return DONE


def _pacs(options: argparse.Namespace) -> Pacs | None:
    if options.pacs is None:
        return None
    host, port = options.pacs
    return Pacs(host, port, options.called_ae, options.ae_title)


def _formats(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not set(wanted) <= set(FORMATS):
        raise argparse.ArgumentTypeError(f"must be some of {','.join(FORMATS)}, got {text}")
    return wanted


def _ae_title(text: str) -> str:
    # PS3.5, 6.2: AE.
    if not (0 < len(text.strip()) <= 16 and text.isascii() and text.isprintable() and "\\" not in text):
        raise argparse.ArgumentTypeError(f"must be an application entity's title of at most 16 characters, got {text}")
    return text.strip()


def _identity(options: argparse.Namespace) -> Identity:
    """Return the identifiers of the options, over those of the file.

    Raises:
        ExportError: the file cannot be read, or an identifier cannot be used.
    """
    given = {name: getattr(options, name) for name in Identity.__struct_fields__}
    try:
        from_file = {} if options.identity is None else msgspec.to_builtins(read_identity(options.identity))
        overriding = {key: value for key, value in given.items() if value is not None}
        return msgspec.convert({**from_file, **overriding}, Identity)
    except (msgspec.ValidationError, ValueError) as error:
        raise ExportError(_without_pattern(str(error))) from error


def _without_pattern(message: str) -> str:
    """Replace a message that quotes a regular expression, which is not for people."""
    if "matching regex" not in message:
        return message
    return f"{message.partition('$.')[2].rstrip('`')}: no backslash or control character"


def export(session: Path, wanted: Export, report: Callable[[str], None] = say) -> list[Path]:
    """Export a session, which may still be recorded: what has been committed until now. May be called in any thread.

    Args:
        session: its folder.
        wanted: see `Export`.
        report: gets a line on what was sent, and on what was left out.

    Returns:
        The files that were written.

    Raises:
        RecordingError: it is no session.
        ExportError: it cannot be done as it is wanted; one line that says what to do.
        OSError: a file could not be written.
    """
    from fetalstream.tui.record.replay import Recording

    with closing(Recording(session)) as recording:
        return _export(recording, wanted, report)


def _export(recording: Recording, wanted: Export, report: Callable[[str], None]) -> list[Path]:
    from fetalstream.tui.export.files import write_table
    from fetalstream.tui.export.tables import tables_of
    from fetalstream.tui.record.session_files import make_folder

    exam = _exam(recording, wanted)
    if (mismatch := recording.mismatch().words) is not None:
        report(mismatch)
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
        written += _images(recording, exam, wanted, report)
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
    from fetalstream.tui.record.vectors import export_index

    try:
        return export_index(session, out)
    except ValueError as error:
        raise ExportError(str(error)) from error


def _images(recording: Recording, exam: str | None, wanted: Export, report: Callable[[str], None]) -> list[Path]:
    from fetalstream.tui.export.files import INSTALL
    from fetalstream.tui.record.exams import exams_of
    from fetalstream.tui.record.session_files import make_folder, write_whole

    try:
        from fetalstream.tui.export.pacs import store
        from fetalstream.tui.export.secondary_capture import captures, file_of
    except ModuleNotFoundError as error:
        raise ExportError(f"{error.name} is missing: {INSTALL}") from error
    exams = [each for each in exams_of(recording) if exam in (None, each.exam)]
    found = list(captures(recording, exams, wanted.identity, versions().get("fetalstream", "unknown")))
    images = {each.name: each.dataset for each in found if each.dataset is not None}
    if len(found) > len(images):
        report(f"{len(found) - len(images)} of {len(found)} frames are left out: their pictures were not saved")
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
        report(f"{len(images)} images stored by {wanted.pacs}")
    return written
