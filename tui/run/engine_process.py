"""The engine's own process; its settings come as a line of JSON on standard input.

It goes on when the foreground dies, until its sources end or somebody sends ``stop``. Exit codes: 0 a clean end, 1 an
error that a person must mend, 3 one that a new start may mend, 4 a failed accelerator, which a new process may use.
"""

from __future__ import annotations

import signal
import sys
import threading
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from fetalstream.pipeline import wire
from fetalstream.streamer.errors import without_credentials
from fetalstream.tui.run.persisted_settings import PersistedSettings
from fetalstream.tui.run.supervise import EXIT_CRASHED, EXIT_DEVICE, foreground_gone
from fetalstream.tui.settings.settings import EngineSettings, StreamSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.bus.replies import Submit
    from fetalstream.pipeline.engine.engine import Engine
    from fetalstream.pipeline.engine.stream_runner import Stream
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.pipeline.stream.probabilities import BankLookup
    from fetalstream.pipeline.stream.questions import EngineCommand
    from fetalstream.streamer.region.masker import SectorSetting
    from fetalstream.streamer.sources import Source

READY: Final = "ready"
"""The line of the log that says that the control channel answers."""

PICTURES_WITHIN_S: Final = 5.0
"""How long after the end a recorder may go on fetching pictures and clips."""


def main() -> int:
    """Run one engine to its end and return the exit code."""
    from fetalstream.pipeline.errors import ConfigError, DeviceFault, ModelError
    from fetalstream.streamer.errors import SourceError

    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=EngineSettings)
    try:
        _run(settings)
    except (SourceError, ModelError, ConfigError) as error:
        say(str(error))
        return 1
    except DeviceFault as error:
        say(str(error))
        return EXIT_DEVICE
    except Exception as error:
        for line in traceback.format_exc().splitlines():
            say(line)
        say(f"the engine broke down: {type(error).__name__}: {error}".splitlines()[0])
        return EXIT_CRASHED
    return 0


def say(line: str) -> None:
    """Write a line into the log, at once and without credentials."""
    print(without_credentials(line), file=sys.stderr, flush=True)


def _run(settings: EngineSettings) -> None:
    from fetalstream.pipeline.bus.control import Control
    from fetalstream.pipeline.bus.publisher import Publisher
    from fetalstream.pipeline.bus.question_encoding import asker_of, with_words
    from fetalstream.pipeline.bus.stamper import MessageStamper, new_run
    from fetalstream.pipeline.engine.engine import Engine
    from fetalstream.pipeline.explain.map_worker import with_maps
    from fetalstream.pipeline.explain.relevance_maps import Explainer
    from fetalstream.tui.run.model_loading import load, model_state, versions

    with ExitStack() as stack:
        stack.callback(wire.lock(Path(settings.alive)).close)
        persisted = PersistedSettings(Path(settings.alive).with_name("persisted-settings.json"))
        sources = [_opened(stream, persisted) for stream in settings.streams]
        for source in sources:
            stack.callback(source.close)
        streams: list[Stream] = []
        endpoints = wire.Endpoints(settings.pub, settings.preview, settings.control)
        # Bound before the model is loaded: a busy port is an error at once.
        publisher = Publisher(endpoints, MessageStamper(new_run()), picture_of=lambda key: engine.picture_of(key))
        stack.callback(publisher.close)
        ready = load(settings, say)
        ready.encoder.warm_up()
        streams += _streams(settings, sources, ready, persisted)
        engine = Engine(ready.encoder, streams, publisher, device=str(ready.model.device))
        for command in persisted.commands():
            engine.submit(command)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.stop("stopped"))
        names = [str(stream.name) for stream in settings.streams]
        submit = with_maps(
            with_words(_remembered(engine, names, persisted), asker_of(ready)), Explainer(ready.model, ready.banks)
        )
        control = Control(publisher, submit, model_state(ready), versions(), _foreground())
        stack.callback(control.close, PICTURES_WITHIN_S if settings.recorded else 0.0)
        say(READY)
        engine.run()


def _opened(stream: StreamSettings, persisted: PersistedSettings) -> Source:
    from fetalstream.streamer.capture.subprocess_source import open_in_subprocess

    name = str(stream.name)
    if not persisted.has_scale_of(name):
        stream = msgspec.structs.replace(stream, spacing_mm=None, depth_cm=None)
    return open_in_subprocess(
        stream.source,
        spacing_mm=stream.spacing_mm,
        depth_mm=None if stream.depth_cm is None else 10 * stream.depth_cm,
        sector=_sector(stream),
        persist=True,
        scale_over=lambda: persisted.scale_over(name),
    )


def _sector(stream: StreamSettings) -> SectorSetting:
    from fetalstream.streamer.region.masker import setting_from
    from fetalstream.streamer.region.profiles import load_profile

    if stream.profile is not None:
        return load_profile(stream.profile)
    return setting_from(None if stream.sector == "whole" else stream.sector)


def _streams(
    settings: EngineSettings, sources: list[Source], ready: LoadedPipeline, persisted: PersistedSettings
) -> list[Stream]:
    from fetalstream.pipeline.engine.stream_runner import make_stream
    from fetalstream.pipeline.keyframes.clip_buffer import CLIP_BYTES
    from fetalstream.pipeline.model.gestation_banks import GestationBanks

    bank: BankLookup = lambda _: None  # noqa: E731 - a model that knows no ages needs no thread that prepares them
    if ready.model_info.knows_gestation:
        bank = GestationBanks(ready.banks).get
    exam = uuid.uuid4().hex
    return [
        make_stream(
            source,
            str(stream.name),
            persisted.exam_of(str(stream.name), exam),
            ready.model_info,
            bank,
            every_frame=False,
            sector=_sector(stream),
            embeddings=settings.embeddings,
            clip_bytes=CLIP_BYTES // len(sources) if settings.recorded else 0,
        )
        for stream, source in zip(settings.streams, sources, strict=True)
    ]


def _foreground() -> Callable[[], bool]:
    """Start a thread that notices the foreground's death; return the question whether the foreground lives."""
    watcher = threading.Thread(target=foreground_gone, args=(sys.stdin.fileno(),), name="foreground", daemon=True)
    watcher.start()
    return watcher.is_alive


def _remembered(engine: Engine, streams: list[str], persisted: PersistedSettings) -> Submit:
    """Return the engine's ``submit``; commands that outlast an engine are noted once they are carried out."""

    def note(command: EngineCommand, done: Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None and isinstance(command, msgspec.Struct):
            persisted.note(command, done.result(), streams)

    def submit(command: EngineCommand) -> Future[Any]:
        reply = engine.submit(command)
        reply.add_done_callback(lambda done: note(command, done))
        return reply

    return submit
