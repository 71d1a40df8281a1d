"""The options of the commands about what stays: report, explain, export, purge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from fetalstream.tui.commands.option_parts import Commands, command
from fetalstream.tui.export.wanted import DEFAULT_FORMATS, FORMATS
from fetalstream.tui.settings.limits import read_age_s, read_size_bytes


def _report(commands: Commands) -> None:
    parser = command(
        commands,
        "report",
        "write one page of a past session, for any browser",
        "One HTML file that fetches nothing: planes over time, best frames, age, views, decisions, settings.",
    )
    parser.add_argument("session", type=Path, metavar="SESSION", help="its folder")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where it goes (report.html in the session's folder)")
    parser.add_argument("--protocol", metavar="NAME", help="other views than those that were collected")


def _explain(commands: Commands) -> None:
    parser = command(
        commands,
        "explain",
        "show which places of a past session's best frames spoke for their planes",
        "Draws a map over each best frame, into the session's maps folder; the report shows it beside\n"
        "the frame. By the session's own model, unless --model is given.",
    )
    parser.add_argument("session", type=Path, metavar="SESSION", help="its folder")
    parser.add_argument("--model", metavar="NAME", help="another model than the session's, or a path to a model file")
    parser.add_argument("--weights", metavar="PATH", help="a checkpoint of it, or random")
    parser.add_argument("--prompts", metavar="DIR", help="sentences of your own")


def _export(commands: Commands) -> None:
    parser = command(
        commands,
        "export",
        "write a past session for other programs: tables, DICOM images",
        "FORMATS is a list with commas: csv, jsonl, parquet (readings, events, keyframes, decisions),\n"
        "dicom (best frames), npz (image vectors). Identifiers go into the DICOM images, and are kept\n"
        "nowhere else.",
    )
    parser.add_argument("session", type=Path, metavar="SESSION", help="its folder")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where files go; never into the session")
    parser.add_argument("--format", type=_formats, metavar="FORMATS", default=DEFAULT_FORMATS, help="(csv,jsonl)")
    parser.add_argument("--exam", type=_count, metavar="N", help="one examination only, from 1 (all)")
    archive = parser.add_argument_group("archive")
    archive.add_argument("--pacs", type=_address, metavar="HOST:PORT", help="store the best frames here (C-STORE)")
    archive.add_argument(
        "--called-ae", type=_entity, metavar="AE", default="ANY-SCP", help="what it is called (ANY-SCP)"
    )
    archive.add_argument("--ae-title", type=_entity, metavar="AE", default="FETALSTREAM", help="our name (FETALSTREAM)")
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


def _purge(commands: Commands) -> None:
    parser = command(
        commands,
        "purge",
        "remove sessions that are old, or more than there is room for",
        "What is beyond either limit goes for good, after a question. A session that is being\n"
        "written stays, and so does everything that is no session or was given another name.",
    )
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="that sessions are in (your own)")
    parser.add_argument(
        "--older-than", type=_of(read_age_s), metavar="AGE", help="those last written so long ago: 12h, 30d, 2w"
    )
    parser.add_argument(
        "--keep", type=_of(read_size_bytes), metavar="SIZE", help="the oldest, until the rest has this: 500MB, 20GB"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--yes", action="store_true", help="do not ask")


_Read = TypeVar("_Read")


def _of(read: Callable[[str], _Read]) -> Callable[[str], _Read]:
    def told(text: str) -> _Read:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return told


def _formats(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not set(wanted) <= set(FORMATS):
        raise argparse.ArgumentTypeError(f"must be some of {','.join(FORMATS)}, got {text}")
    return wanted


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text}")
    return int(text[:9])


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 1 <= int(port[:6]) < 65_536):
        raise argparse.ArgumentTypeError(f"must be HOST:PORT, got {text}")
    return host.strip("[]"), int(port)


def _entity(text: str) -> str:
    # PS3.5, 6.2: AE.
    if not (0 < len(text.strip()) <= 16 and text.isascii() and text.isprintable() and "\\" not in text):
        raise argparse.ArgumentTypeError(f"must be an application entity's title of at most 16 characters, got {text}")
    return text.strip()


def check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends the process with code 2 where options do not go together."""
    if options.command == "purge":
        if options.older_than is None and options.keep is None:
            parser.error("purge: say what goes with --older-than AGE, --keep SIZE or both")
        if not (options.yes or options.dry_run or sys.stdin.isatty()):
            parser.error("purge: nobody can be asked here, so nothing is removed: give --yes, or --dry-run")
    if options.command != "export" or options.out is not None:
        return
    if options.pacs is None or options.format != DEFAULT_FORMATS:
        parser.error("export: give --out DIR for files, or --pacs HOST:PORT to store the best frames in an archive")


ADDERS: Final = (_report, _explain, _export, _purge)
