"""What the commands about what stays do with their options: report, explain, export, purge."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from fetalstream.tui.export.identity import Identity
    from fetalstream.tui.export.wanted import Pacs


def _report(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.report_command import write_report
    from fetalstream.tui.record.replay import Recording
    from fetalstream.tui.settings.scan_protocols import known_protocol, read_protocol

    if options.protocol is not None:
        protocol = read_protocol(options.protocol)
    else:
        with closing(Recording(options.session)) as recording:
            protocol = known_protocol(recording.protocol())
    print(write_report(options.session, options.out, protocol=protocol))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.explain_command import explain

    written = explain(
        options.session,
        model=options.model,
        weights=options.weights,
        prompts=options.prompts,
        say=lambda line: print(line, file=sys.stderr),
    )
    for path in written:
        print(path)
    return 0


def _export(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.export_command import export
    from fetalstream.tui.export.wanted import Export

    wanted = Export(
        out=options.out,
        formats=options.format,
        exam=options.exam,
        identity=_identity(options),
        pacs=None if options.pacs is None else _pacs(options),
    )
    for path in export(options.session, wanted, say=lambda line: print(line, file=sys.stderr)):
        print(path)
    return 0


def _purge(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.purge_command import purge
    from fetalstream.tui.record.session_files import sessions_folder
    from fetalstream.tui.settings.limits import Limits

    own = sessions_folder()
    if options.folder is None and not own.exists():
        print(f"{own} is not there yet: nothing was ever recorded")
        return 0
    well = purge(
        options.folder or own,
        Limits(options.older_than, options.keep),
        time.time(),
        agreed=lambda question: options.yes or _agreed(question),
        dry_run=options.dry_run,
    )
    return 0 if well else 1


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _identity(options: argparse.Namespace) -> Identity:
    from fetalstream.tui.export.errors import ExportError
    from fetalstream.tui.export.identity import Identity, read_identity

    given = {name: getattr(options, name) for name in Identity.__struct_fields__}
    try:
        said = {} if options.identity is None else msgspec.to_builtins(read_identity(options.identity))
        return msgspec.convert({**said, **{key: value for key, value in given.items() if value is not None}}, Identity)
    except (msgspec.ValidationError, ValueError) as error:
        raise ExportError(_plainly(error)) from error


def _plainly(error: Exception) -> str:
    """What was wrong with an identifier: patterns are not for people."""
    said = str(error)
    return (
        f"{said.partition('$.')[2].rstrip('`')}: no backslash or control character"
        if "matching regex" in said
        else said
    )


def _pacs(options: argparse.Namespace) -> Pacs:
    from fetalstream.tui.export.wanted import Pacs

    host, port = options.pacs
    return Pacs(host, port, options.called_ae, options.ae_title)


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "report": _report,
    "explain": _explain,
    "export": _export,
    "purge": _purge,
}
