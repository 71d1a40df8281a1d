"""``fetalstream run``: sources analysed live, with the dashboard or a status line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import msgspec

from fetalstream.streamer.source_formats import FORMATS
from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.terminal import dashboard_of, on_terminal
from fetalstream.tui.errors import UsageError
from fetalstream.tui.settings.chosen_model import chosen_model, given
from fetalstream.tui.settings.settings import RunSettings, SettingsError, StreamSettings, read_settings

_KINDS = "\n".join(f"  {each.example:20}{each.more}".rstrip() for each in FORMATS if each.example)

SOURCES: Final = f"""\
SOURCE is one of:
{_KINDS}

Press ? in the dashboard for its keys. Sessions are recorded unless --no-record is given."""


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(commands, "run", "analyse sources live, with the dashboard", SOURCES)
    parser.add_argument("sources", nargs="*", metavar="SOURCE", help="one or more")
    parser.add_argument("--config", type=Path, metavar="FILE", help="streams and options from a TOML file")
    parser.add_argument("--headless", action="store_true", help="a status line instead of the dashboard")
    parser.add_argument("--embeddings", action="store_true", help="keep image vectors, for search")
    parts.dashboard_options(parser)
    parts.model_options(parser)
    parts.scale_options(parser)
    parts.sector_options(parser)
    parser.add_argument("--pub", metavar="ENDPOINT", help="publish here, for example tcp://127.0.0.1:5556")
    parser.add_argument("--control", metavar="ENDPOINT", help="take commands here (the port after --pub)")
    parts.recording_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the engine, the recorder and the dashboard until the sources end or somebody quits.

    Raises:
        UsageError: no source was given.
        RunFailed, SettingsError, ConfigError, ProtocolError: see `tui.run.supervised_run.run_live`.
    """
    if not options.sources and options.config is None:
        raise UsageError("give a SOURCE, or --config FILE")
    from fetalstream.tui.run.supervised_run import run_live

    run_live(settings_of(options), dashboard_of(options), headless=options.headless or not on_terminal())
    return DONE


def settings_of(options: argparse.Namespace) -> RunSettings:
    """Return the settings of the configuration file, or the defaults, with what the command line gives instead.

    Raises:
        SettingsError: the file cannot be used, or two values do not go together.
    """
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
    settings = chosen_model(options, settings)
    return given(settings, pub=options.pub, control=options.control, record=parts.recording_of(options))


def _for_all_streams(settings: RunSettings, **values: Any) -> RunSettings:
    try:
        streams = tuple(msgspec.structs.replace(each, **values) for each in settings.streams)
    except ValueError as error:  # two that do not go together
        raise SettingsError(str(error)) from None
    return msgspec.structs.replace(settings, streams=streams)
