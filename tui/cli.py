"""``fetalstream``: one entry point for all commands. Everything heavy is imported by the command that needs it.

Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one line that says what is wrong and what to do.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fetalstream.streamer.errors import without_credentials
from fetalstream.tui.commands import measure_commands, record_commands
from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.loading import versions
from fetalstream.tui.commands.options import parse
from fetalstream.tui.run.process_title import hide_addresses
from fetalstream.tui.settings.chosen_model import chosen_model, given
from fetalstream.tui.settings.settings import ModelSettings, RunSettings, SettingsError, StreamSettings, read_settings
from fetalstream.tui.state.text import plain

if TYPE_CHECKING:
    from fetalstream.tui.run.supervised_run import DashboardOptions

_LONGEST_ERROR = 600


def main(argv: Sequence[str] | None = None) -> int:
    """Carries out one command; returns the exit code."""
    if argv is None:
        hide_addresses()
    options = parse(argv, versions().get("fetalstream", "not installed"))
    try:
        return _COMMANDS[options.command](options)
    except BrokenPipeError:
        # Whoever read our output has had enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("fetalstream: interrupted", file=sys.stderr)
        return FAILED
    except Exception as error:
        if options.debug:
            for line in [*traceback.format_exc().splitlines(), getattr(error, "log", "")]:
                print(without_credentials(line), file=sys.stderr)
        print(f"fetalstream: {_one_line(error)}", file=sys.stderr)
        return FAILED


def _one_line(error: Exception) -> str:
    said = plain(without_credentials(str(error)), _LONGEST_ERROR)
    if isinstance(error, _told_errors()):
        return said
    if isinstance(error, OSError):
        where = without_credentials(str(error.filename or "input or output"))
        return plain(f"{where}: {error.strerror or said}", _LONGEST_ERROR)
    return f"something unexpected went wrong ({type(error).__name__}: {said}); run it again with --debug to see where"


def _told_errors() -> tuple[type[Exception], ...]:
    """Errors whose words are for people."""
    from fetalstream.pipeline.errors import ConfigError, EngineFault, ModelError
    from fetalstream.streamer.errors import SourceError
    from fetalstream.tui.commands.analyze import Interrupted
    from fetalstream.tui.commands.explain_command import ExplainError
    from fetalstream.tui.commands.search_command import SearchError
    from fetalstream.tui.export.errors import ExportError
    from fetalstream.tui.feed.protocol import RequestFailed
    from fetalstream.tui.record.replay import RecordingError
    from fetalstream.tui.record.retention import RetentionError
    from fetalstream.tui.run.foreground import RunFailed
    from fetalstream.tui.state.scan_protocol import ProtocolError

    return (
        ConfigError,
        EngineFault,
        ExplainError,
        ExportError,
        ModelError,
        SourceError,
        Interrupted,
        RequestFailed,
        RunFailed,
        ProtocolError,
        RecordingError,
        RetentionError,
        SearchError,
        SettingsError,
    )


def _demo(options: argparse.Namespace) -> int:
    if options.headless or options.json or not _on_terminal():
        from fetalstream.tui.commands.demo_command import demo

        demo(options.seconds, options.seed, chosen_model(options, ModelSettings()), as_json=options.json)
        return DONE
    from fetalstream.tui.run.supervised_run import run_live

    streams = (StreamSettings(source=f"phantom:{options.seed}"),)
    run_live(_recorded(options, chosen_model(options, RunSettings(streams=streams))), _look(options), headless=False)
    return DONE


def _run(options: argparse.Namespace) -> int:
    from fetalstream.tui.run.supervised_run import run_live

    settings = RunSettings() if options.config is None else read_settings(options.config)
    if options.sources:
        streams = tuple(StreamSettings(source=name) for name in options.sources)
        settings = msgspec.structs.replace(settings, streams=streams)
    if options.spacing is not None:
        settings = _for_all_streams(settings, spacing_mm=options.spacing, depth_cm=None)
    if options.depth_cm is not None:
        settings = _for_all_streams(settings, depth_cm=options.depth_cm, spacing_mm=None)
    if options.sector is not None:
        settings = _for_all_streams(settings, sector=options.sector, profile=None)
    if options.profile is not None:
        settings = _for_all_streams(settings, profile=options.profile)
    if options.embeddings:
        settings = msgspec.structs.replace(settings, embeddings=True)
    settings = given(chosen_model(options, settings), pub=options.pub, control=options.control)
    run_live(_recorded(options, settings), _look(options), headless=options.headless or not _on_terminal())
    return DONE


def _for_all_streams(settings: RunSettings, **values: Any) -> RunSettings:
    try:
        streams = tuple(msgspec.structs.replace(each, **values) for each in settings.streams)
    except ValueError as error:  # two that do not go together
        raise SettingsError(str(error)) from None
    return msgspec.structs.replace(settings, streams=streams)


def _sector(options: argparse.Namespace) -> Any:
    from fetalstream.streamer.region.masker import setting_from
    from fetalstream.streamer.region.profiles import load_profile

    if options.profile is not None:
        return load_profile(options.profile)
    said = options.sector or "auto"
    return setting_from(None if said == "whole" else said)


def _calibrate(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.calibrate_command import calibrate

    return (
        DONE if calibrate(options.source, name=options.name, as_json=options.json, picture=options.picture) else FAILED
    )


def _watch(options: argparse.Namespace) -> int:
    from fetalstream.tui.run.supervised_run import watch

    if options.web is not None:
        return _watch_in_browser(options)
    _needs_terminal("watch")
    watch(options.endpoint, _look(options, read_only=options.read_only), _stop_orphan)
    return DONE


def _watch_in_browser(options: argparse.Namespace) -> int:
    from fetalstream.tui.run.foreground import RunFailed

    try:
        from fetalstream.tui.run.web import serve
    except ModuleNotFoundError as error:
        raise RunFailed(f"{error.name} is missing: pip install 'fetalstream[web]'") from error
    arguments = ["watch", *filter(None, [options.endpoint]), *(["--read-only"] if options.read_only else [])]
    arguments += ["--protocol", options.protocol] if options.protocol is not None else []
    serve(arguments, _say, options.web)
    return DONE


def _record(options: argparse.Namespace) -> int:
    from fetalstream.tui.record.recorder import record
    from fetalstream.tui.record.session_files import sessions_folder

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    record(options.endpoint, options.out or sessions_folder(), stop, report=_say)
    return DONE


def _analyze(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.analyze import analyze

    with contextlib.ExitStack() as stack:
        jsonl = None
        if options.jsonl is not None:
            to_stdout = options.jsonl == "-"
            jsonl = sys.stdout if to_stdout else stack.enter_context(Path(options.jsonl).open("w", encoding="utf-8"))
        model = chosen_model(options, ModelSettings())
        well = analyze(
            options.paths,
            model=model,
            spacing_mm=options.spacing,
            depth_mm=None if options.depth_cm is None else 10 * options.depth_cm,
            out=options.out,
            jsonl=jsonl,
            embeddings=options.embeddings,
            sector=_sector(options),
        )
    return DONE if well else FAILED


def _replay(options: argparse.Namespace) -> int:
    from fetalstream.tui.run.supervised_run import replay

    _needs_terminal("replay")
    replay(options.session, _look(options))
    return DONE


def _search(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.search_command import search

    search(options.session, options.text, chosen_model(options, ModelSettings()), top=options.top, as_json=options.json)
    return DONE


def _sources(options: argparse.Namespace) -> int:
    from fetalstream.tui.commands.sources_command import show_sources

    show_sources(as_json=options.json)
    return DONE


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "run": _run,
    "calibrate": _calibrate,
    "watch": _watch,
    "record": _record,
    "analyze": _analyze,
    "replay": _replay,
    "search": _search,
    "sources": _sources,
    **record_commands.COMMANDS,
    **measure_commands.COMMANDS,
}


def _look(options: argparse.Namespace, *, read_only: bool = False) -> DashboardOptions:
    from fetalstream.tui.run.supervised_run import DashboardOptions

    return DashboardOptions(options.protocol, read_only, options.pictures)


def _recorded(options: argparse.Namespace, settings: RunSettings) -> RunSettings:
    return given(settings, record="" if options.no_record else options.record)


def _on_terminal() -> bool:
    # Where Textual was given another driver, a browser stands at the other end of the pipes.
    # Textual draws on standard error.
    terminals = (sys.stdin, sys.stdout, sys.stderr)
    return "TEXTUAL_DRIVER" in os.environ or all(each.isatty() for each in terminals)


def _needs_terminal(command: str) -> None:
    from fetalstream.tui.run.foreground import RunFailed

    if not _on_terminal():
        raise RunFailed(f"{command} draws on a terminal, and this is none: run it in one, its outputs not redirected")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop_orphan() -> bool:
    if not sys.stdin.isatty():
        return False  # nobody could answer
    print("This engine's own foreground is gone: nobody else will stop it.", file=sys.stderr)
    return input("Stop it now? [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    sys.exit(main())
