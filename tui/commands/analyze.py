"""``fetalstream analyze``: files and folders offline, every frame, without sockets and in this one process."""

from __future__ import annotations

import argparse
import signal
import sys
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from fetalstream.pipeline import wire
from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.offline_sink import FileSummary, MediaClock, OfflineSink
from fetalstream.tui.commands.progress import Progress, say
from fetalstream.tui.errors import UsageError, UserError
from fetalstream.tui.run.model_loading import load, model_state, versions
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings, SettingsError
from fetalstream.tui.state.text import fine_print, plain

if TYPE_CHECKING:
    from fetalstream.pipeline.engine.engine import Engine
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.streamer.region.masker import SectorSetting
    from fetalstream.streamer.sources import Source

_LONGEST: Final = 600


class Interrupted(UserError):
    """A signal ended the analysis early; what was analysed until then is kept."""


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(
        commands,
        "analyze",
        "analyse files offline, every frame",
        "PATH is a video file, an image, or a folder of images; each is an examination of its own.",
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="one or more")
    parser.add_argument("--out", type=Path, metavar="DIR", help="record a session in this folder")
    parser.add_argument("--embeddings", action="store_true", help="keep image vectors in the session, for search")
    parser.add_argument("--jsonl", metavar="FILE", help="write readings here, one JSON object a line; - is stdout")
    parts.model_options(parser)
    parts.scale_options(parser)
    parts.sector_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Analyse the files offline; failed if one of them could not be read, or all its frames failed.

    Raises:
        UsageError: the results have no place to go.
        SourceError, ModelError, ConfigError, SettingsError, Interrupted: see `analyze`.
    """
    if options.out is None and options.jsonl is None:
        raise UsageError("give --out DIR for a session, or --jsonl FILE")
    with ExitStack() as stack:
        jsonl = None
        if options.jsonl is not None:
            to_stdout = options.jsonl == "-"
            jsonl = sys.stdout if to_stdout else stack.enter_context(Path(options.jsonl).open("w", encoding="utf-8"))
        complete = analyze(
            options.paths,
            model=chosen_model(options, ModelSettings()),
            spacing_mm=options.spacing,
            depth_mm=None if options.depth_cm is None else 10 * options.depth_cm,
            out=options.out,
            jsonl=jsonl,
            embeddings=options.embeddings,
            sector=_sector(options),
        )
    return DONE if complete else FAILED


def _sector(options: argparse.Namespace) -> SectorSetting:
    from fetalstream.streamer.region.masker import setting_from
    from fetalstream.streamer.region.profiles import load_profile

    if options.profile is not None:
        return load_profile(options.profile)
    given = options.sector or "auto"
    return setting_from(None if given == "whole" else given)


def analyze(
    paths: Sequence[str], *, model: ModelSettings, spacing_mm: float | None, out: Path | None, jsonl: IO[str] | None,
    depth_mm: float | None = None, sector: SectorSetting = "auto", embeddings: bool = False,
) -> bool:  # fmt: skip
    """Analyse all files in turn, each as an examination of its own; print a line on each and one on all of them.

    Args:
        paths: files and folders.
        model: which model, and on what device.
        spacing_mm: mm per pixel of the files' frames, None if unknown.
        depth_mm: the depth that the scanner was set to, instead of ``spacing_mm``; see `streamer.region.masker.Masker`.
        out: the folder of sessions; None to record none.
        jsonl: where readings go, one header a line; None for nowhere.
        sector: the scan region on the files' frames.
        embeddings: keep the vector of every analysed frame in the session, and write an index of them.

    Returns:
        Whether all of them could be read, and of none all frames failed.

    Raises:
        SourceError, ModelError, ConfigError, SettingsError: before anything was analysed.
        Interrupted: by a signal.
    """
    from fetalstream.pipeline.bus.stamper import MessageStamper, new_run
    from fetalstream.tui.record.store import SessionStore
    from fetalstream.tui.record.vectors import export_index

    if depth_mm is not None and sector is None:
        raise SettingsError("depth_cm goes with a sector, and without spacing_mm")
    summary = sys.stderr if jsonl is sys.stdout else sys.stdout
    with ExitStack() as stack:
        opening = _Opening(spacing_mm, depth_mm, sector)
        streams = [_described(path, number, opening) for number, path in enumerate(paths, start=1)]
        ready = load(model, say)
        print(fine_print(ready.model_info.calibrated), file=summary)
        clock = MediaClock()
        stamp = MessageStamper(new_run(), clock)
        state = wire.EngineState(run=stamp.run, streams=streams, model=model_state(ready), versions=versions())
        store = None if out is None else stack.enter_context(SessionStore(out, state))
        sink = OfflineSink(stamp, clock, store, jsonl)
        stack.callback(sink.finish)
        begun_s = time.monotonic()
        results: list[FileSummary] = []
        for path, stream in zip(paths, streams, strict=True):
            result = _one(path, stream, ready, sink, opening, embeddings=embeddings)
            print(plain(f"{path}: {result.words()}", _LONGEST), file=sys.stderr if result.trouble else summary)
            results.append(result)
        if store is not None and embeddings and any(each.frames for each in results):
            store.commit()
            export_index(store.folder)
        frames, took_s = sum(each.frames for each in results), time.monotonic() - begun_s
        where = "" if store is None else f"; session {store.folder}"
        print(f"{frames} frames in {took_s:.1f} s, {frames / took_s:.0f} a second{where}", file=summary)
        return all(each.trouble is None for each in results)


class _Opening(NamedTuple):
    """The arguments that every file is opened with."""

    spacing_mm: float | None
    depth_mm: float | None
    sector: SectorSetting


def _described(path: str, number: int, opening: _Opening) -> wire.StreamState:
    """Open a file once before the model is loaded, so that a wrong name is reported at once; return what it is."""
    with _opened(path, opening) as source:
        return wire.StreamState(
            stream=f"stream-{number}", kind=source.kind, exam=uuid.uuid4().hex, source_sha256=source.identity
        )


def _opened(path: str, opening: _Opening) -> Source:
    from fetalstream.streamer.capture.subprocess_source import open_in_subprocess
    from fetalstream.streamer.errors import SourceError
    from fetalstream.streamer.live.addresses import without_addresses

    source = open_in_subprocess(path, **opening._asdict())
    if source.live or source.kind == "phantom":
        source.close()
        shown = without_addresses(path)
        raise SourceError(f"{shown} has no end: analyze wants files and folders; try fetalstream run {shown}")
    return source


def _one(
    path: str,
    description: wire.StreamState,
    ready: LoadedPipeline,
    sink: OfflineSink,
    opening: _Opening,
    *,
    embeddings: bool,
) -> FileSummary:
    from fetalstream.pipeline.engine.engine import Engine
    from fetalstream.pipeline.engine.stream_runner import make_stream
    from fetalstream.streamer.errors import SourceError

    bank = ready.banks.gestation
    try:
        with _opened(path, opening) as source, Progress(path, source.frames_expected) as progress:
            stream = make_stream(
                source, description.stream, str(description.exam), ready.model_info, bank, every_frame=True,
                embeddings=embeddings, clip_bytes=sink.clip_bytes,
            )  # fmt: skip
            result = sink.next_file(stream, progress)
            engine = Engine(ready.encoder, [stream], sink, device=str(ready.model.device))
            with _interruptible(engine, path):
                engine.run()
    except SourceError as error:
        return FileSummary(trouble=str(error))
    for warning in source.warnings:
        say(f"{path}: {warning}")
    return result.judged()


@contextmanager
def _interruptible(engine: Engine, path: str) -> Generator[None]:
    """Let a signal end the engine cleanly, so that all its messages are kept.

    Raises:
        Interrupted: at the end, if a signal came.
    """
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        engine.stop("interrupted")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if received:
        raise Interrupted(f"interrupted in {path}: what was analysed until then is kept")
