"""``fetalstream analyze``: files and folders, every frame, straight into a session; no sockets, no second process."""

from __future__ import annotations

import signal
import sys
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from fetalstream.tui.commands.loading import about, load
from fetalstream.tui.commands.offline_sink import FileSummary, MediaClock, OfflineSink
from fetalstream.tui.commands.progress import Progress
from fetalstream.tui.record.store import SessionStore
from fetalstream.tui.record.vectors import export_index
from fetalstream.tui.settings.settings import ModelSettings, SettingsError
from fetalstream.tui.state.text import fine_print, plain

if TYPE_CHECKING:
    from fetalstream.pipeline.engine.engine import Engine
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.streamer.region.masker import SectorSetting
    from fetalstream.streamer.sources import Source

_LONGEST: Final = 600


class Interrupted(Exception):
    """Somebody ended the analysis early; what was analysed is kept."""


def analyze(
    paths: Sequence[str], *, model: ModelSettings, spacing_mm: float | None, out: Path | None, jsonl: IO[str] | None,
    depth_mm: float | None = None, sector: SectorSetting = "auto", embeddings: bool = False,
) -> bool:  # fmt: skip
    """Analyses all files in turn, each as an examination of its own, and prints a line on each and one on all.

    Args:
        paths: files and folders.
        model: which model, and on what.
        spacing_mm: of the files' frames, mm per pixel.
        depth_mm: instead of it, what the scanner's depth was set to; see `streamer.region.masker.Masker`.
        out: the folder of sessions; None for no session.
        jsonl: where readings go, a header a line; None for nowhere.
        sector: the scan region on the files' frames.
        embeddings: keep the vector of every analysed frame in the session, and write an index of them.

    Returns:
        Whether all of them could be read.

    Raises:
        SourceError, ModelError, ConfigError, SettingsError: before anything was analysed.
        Interrupted: by a signal.
    """
    from fetalstream.pipeline.bus.stamper import MessageStamper, new_run

    if depth_mm is not None and sector is None:
        raise SettingsError("depth_cm goes with a sector, and without spacing_mm")
    summary = sys.stderr if jsonl is sys.stdout else sys.stdout
    with ExitStack() as stack:
        opening = _Opening(spacing_mm, depth_mm, sector)
        streams = [_described(path, number, opening) for number, path in enumerate(paths, start=1)]
        ready = load(model, _say)
        print(fine_print(ready.model_info.calibrated), file=summary)
        clock = MediaClock()
        stamp = MessageStamper(new_run(), clock)
        told = {"run": stamp.run, "streams": streams, **about(ready)}
        store = None if out is None else stack.enter_context(SessionStore(out, told))
        sink = OfflineSink(stamp, clock, store, jsonl)
        stack.callback(sink.finish)
        begun_s = time.monotonic()
        tallies: list[FileSummary] = []
        for path, stream in zip(paths, streams, strict=True):
            tallies.append(_one(path, stream, ready, sink, opening, embeddings=embeddings))
            print(
                plain(f"{path}: {tallies[-1].words()}", _LONGEST), file=sys.stderr if tallies[-1].trouble else summary
            )
        if store is not None and embeddings and any(tally.frames for tally in tallies):
            store.commit()
            export_index(store.folder)
        frames, took_s = sum(tally.frames for tally in tallies), time.monotonic() - begun_s
        where = "" if store is None else f"; session {store.folder}"
        print(f"{frames} frames in {took_s:.1f} s, {frames / took_s:.0f} a second{where}", file=summary)
        return all(tally.trouble is None for tally in tallies)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


class _Opening(NamedTuple):
    """How files are opened."""

    spacing_mm: float | None
    depth_mm: float | None
    sector: SectorSetting


def _described(path: str, number: int, opening: _Opening) -> dict[str, Any]:
    """Opened once before the model is loaded, so that a wrong name is told at once."""
    with _opened(path, opening) as source:
        return {
            "stream": f"stream-{number}",
            "kind": source.kind,
            "exam": uuid.uuid4().hex,
            "source_sha256": source.identity,
        }


def _opened(path: str, opening: _Opening) -> Source:
    from fetalstream.streamer.capture.subprocess_source import open_in_subprocess
    from fetalstream.streamer.errors import SourceError
    from fetalstream.streamer.live.addresses import without_addresses

    source = open_in_subprocess(path, **opening._asdict())
    if source.live or source.kind == "phantom":
        source.close()
        told = without_addresses(path)
        raise SourceError(f"{told} has no end: analyze wants files and folders; try fetalstream run {told}")
    return source


def _one(
    path: str, told: dict[str, Any], ready: LoadedPipeline, sink: OfflineSink, opening: _Opening, *, embeddings: bool
) -> FileSummary:
    from fetalstream.pipeline.engine.engine import Engine
    from fetalstream.pipeline.engine.stream_runner import make_stream
    from fetalstream.streamer.errors import SourceError

    bank = ready.banks.gestation
    try:
        with _opened(path, opening) as source, Progress(path, source.frames_expected) as progress:
            stream = make_stream(
                source, told["stream"], told["exam"], ready.model_info, bank, every_frame=True, embeddings=embeddings,
                clip_bytes=sink.clip_bytes,
            )  # fmt: skip
            tally = sink.next_file(stream, progress)
            engine = Engine(ready.encoder, [stream], sink, device=str(ready.model.device))
            with _interruptible(engine, path):
                engine.run()
    except SourceError as error:
        return FileSummary(trouble=str(error))
    for warning in source.warnings:
        _say(f"{path}: {warning}")
    return tally


@contextmanager
def _interruptible(engine: Engine, path: str) -> Generator[None]:
    """Ends the engine well on a signal, so that all that it has said is kept."""
    asked: list[int] = []

    def stop(number: int, _: object) -> None:
        asked.append(number)
        engine.stop("interrupted")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise Interrupted(f"interrupted in {path}: what was analysed until then is kept")
