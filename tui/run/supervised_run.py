"""``run``, ``demo``, ``watch`` and ``replay`` in the foreground: child processes, and a dashboard or a status line."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from fetalstream.pipeline import wire
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.pictures.kitty_query import PictureMode
from fetalstream.tui.record.session_files import sessions_folder
from fetalstream.tui.run.engine_process import READY
from fetalstream.tui.run.foreground import POLL_S, RunFailed, dashboard, failure, news, show
from fetalstream.tui.run.headless import StatusLine, summary
from fetalstream.tui.run.recorder_process import RecorderSettings
from fetalstream.tui.run.supervise import ChildCommand, Supervisor
from fetalstream.tui.settings.settings import EngineSettings, RunSettings, SettingsError
from fetalstream.tui.state.recording_status import read_report

if TYPE_CHECKING:
    from fetalstream.pipeline.bus.endpoints import RunFolder
    from fetalstream.tui.state.scan_protocol import Protocol

ASKED_WITHIN_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class DashboardOptions:
    """The options of how the dashboard is shown.

    Attributes:
        protocol: the views to collect, a name or path; None for all planes.
        read_only: nothing can be changed from it.
        pictures: what pictures are drawn in.
    """

    protocol: str | None = None
    read_only: bool = False
    pictures: PictureMode = "auto"


def run_live(settings: RunSettings, look: DashboardOptions, *, headless: bool) -> None:
    """Analyse live until the sources end or somebody stops it.

    Args:
        settings: the streams, the model, the endpoints and the recording.
        look: how the dashboard is shown.
        headless: a status line instead of the dashboard.

    Raises:
        RunFailed: the engine could not start or was given up.
        SettingsError, pipeline.errors.ConfigError, tui.state.scan_protocol.ProtocolError: wrong options.
    """
    protocol = _protocol(look)
    from fetalstream.pipeline.bus.endpoints import RunFolder, resolve_endpoints

    for given in (settings.pub, settings.control):
        if given is not None and given.endswith(":*"):
            raise SettingsError(f"{given}: give a port number, so that others find it")
    _retain(settings)
    with ExitStack() as stack:
        folder = stack.enter_context(RunFolder())
        endpoints = resolve_endpoints(settings.pub, settings.control, folder=folder.path)
        supervisor = Supervisor(_commands(settings, endpoints, folder), folder.path)
        with _StopSignals() as signals:
            if not headless:
                print("starting the engine …", file=sys.stderr)  # it takes some seconds
            try:
                ready = _started(supervisor, signals)
                if ready and headless:
                    _headless(supervisor, endpoints.control, signals)
                elif ready:
                    dashboard(supervisor, endpoints.control, signals.to_stop, protocol, look.pictures)
            finally:
                supervisor.stop()
        _raise_failure(supervisor)


def watch(endpoint: str | None, look: DashboardOptions, stop_orphan: Callable[[], bool]) -> None:
    """Show the dashboard alone, over an engine that runs already.

    Args:
        endpoint: None for the newest engine of this user.
        look: how the dashboard is shown.
        stop_orphan: asked after the dashboard, if the engine's own foreground is gone.
    """
    from fetalstream.tui.feed.engine_feed import EngineFeed

    show(EngineFeed(endpoint), _protocol(look), read_only=look.read_only, pictures=look.pictures)
    if look.read_only:
        return
    state = asyncio.run(_state_of(endpoint))
    if state is not None and state.supervised is False and state.endpoints is not None and stop_orphan():
        asyncio.run(_state_of(state.endpoints.control, then=wire.Stop()))


def replay(folder: Path, look: DashboardOptions) -> None:
    """Show the dashboard over a past session, with the views that were collected in it unless others are named.

    Raises:
        tui.record.replay.RecordingError: the folder is no session.
    """
    from fetalstream.tui.record.replay import Recording, ReplayFeed
    from fetalstream.tui.settings.scan_protocols import known_protocol

    recording = Recording(folder)
    protocol = known_protocol(recording.protocol()) if look.protocol is None else _protocol(look)
    show(ReplayFeed(recording), protocol, pictures=look.pictures)


class _StopSignals:
    """The signals that ask the foreground to end; while it is entered, each sets ``to_stop``."""

    def __init__(self) -> None:
        self.to_stop = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _StopSignals:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, lambda *_: self.to_stop.set())
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _commands(settings: RunSettings, endpoints: wire.Endpoints, folder: RunFolder) -> list[ChildCommand]:
    alive = str(folder.path / "engine.lock")
    engine = EngineSettings(
        model=settings.model,
        weights=settings.weights,
        prompts=settings.prompts,
        device=settings.device,
        precision=settings.precision,
        streams=settings.named(),
        pub=endpoints.pub,
        preview=endpoints.preview,
        control=endpoints.control,
        alive=alive,
        recorded=settings.record != "",
        embeddings=settings.embeddings,
    )
    commands = [_command("engine", engine, folder)]
    if settings.record != "":
        recorder = RecorderSettings(endpoint=endpoints.control, out=str(_sessions(settings).absolute()), alive=alive)
        commands.append(_command("recorder", recorder, folder))
    return commands


def _sessions(settings: RunSettings) -> Path:
    return Path(settings.record) if settings.record is not None else sessions_folder()


def _retain(settings: RunSettings) -> None:
    """Remove old sessions before anything is recorded, so that the lines about it stand above the dashboard."""
    from fetalstream.tui.record.purge import retain

    if settings.retention is not None and settings.record != "":
        limits = settings.retention.limits()
        retain(
            _sessions(settings),
            time.time(),
            older_than_s=limits.older_than_s,
            keep_bytes=limits.keep_bytes,
            say=lambda line: print(line, file=sys.stderr),
        )


def _command(name: str, settings: msgspec.Struct, folder: RunFolder) -> ChildCommand:
    # It must find the modules that this process found, not what lies in the current folder. And it ends at once when
    # it is through: threads that still prepare sentences would hold up the end for seconds, or crash in it.
    script = (
        f"import os, sys; sys.path[:] = {sys.path!r}; "
        f"from fetalstream.tui.run.{name}_process import main; os._exit(main())"
    )
    return ChildCommand(name, (sys.executable, "-c", script), msgspec.json.encode(settings), (folder.lock_fd,))


def _started(supervisor: Supervisor, signals: _StopSignals) -> bool:
    """Wait until the engine answers, and pass its lines on; return False if it ended or was stopped before."""
    engine = supervisor.child("engine")
    lines: list[str] = []
    while not signals.to_stop.is_set():
        # The others would only ask in vain as long as there is no engine.
        engine.poll(time.monotonic())
        if engine.state == "running":
            # A turn late: an engine's last line is shown as the error that ends the run, and only there.
            for line in lines:
                print(line, file=sys.stderr)
        lines = engine.news()
        if READY in lines:
            return True
        if engine.over:
            return False
        time.sleep(POLL_S / 2)
    return False


def _headless(supervisor: Supervisor, control: str, signals: _StopSignals) -> None:
    from fetalstream.tui.feed.engine_feed import EngineFeed

    engine = supervisor.child("engine")

    async def follow() -> None:
        feed = EngineFeed(control)
        line = StatusLine(terminal=sys.stderr.isatty())
        connecting = asyncio.create_task(connect(feed))
        while not engine.over and not signals.to_stop.is_set():
            supervisor.poll(time.monotonic())
            for report in news(supervisor):
                line.say(report.words)
            line.take(feed.drain(), time.monotonic_ns())
            line.update(time.monotonic_ns())
            await asyncio.sleep(POLL_S)
        connecting.cancel()
        await asyncio.to_thread(supervisor.stop)
        line.take(feed.drain(), time.monotonic_ns())
        await feed.close()
        for words in [*(report.words for report in news(supervisor)), *summary(line.session)]:
            line.say(words)

    async def connect(feed: EngineFeed) -> None:
        while True:
            try:
                await feed.start()
            except RequestFailed:
                await asyncio.sleep(POLL_S)
            else:
                return

    asyncio.run(follow())


def _protocol(look: DashboardOptions) -> Protocol | None:
    from fetalstream.tui.settings.scan_protocols import read_protocol

    return None if look.protocol is None else read_protocol(look.protocol)


async def _state_of(endpoint: str | None, then: wire.Command | None = None) -> wire.EngineState | None:
    """Return the engine's state, after it was sent the command ``then``; None if it does not answer at once."""
    from fetalstream.tui.feed.engine_feed import EngineFeed

    feed = EngineFeed(endpoint)
    try:
        # Somebody has just quit: an engine that does not answer at once is not waited for.
        async with asyncio.timeout(ASKED_WITHIN_S):
            state = await feed.start()
            if then is not None:
                await feed.request(then)
            return state
    except (RequestFailed, TimeoutError):
        return None
    finally:
        await feed.close()


def _raise_failure(supervisor: Supervisor) -> None:
    failed = supervisor.failed
    if failed is not None:
        raise RunFailed(failure(failed), "\n".join(read_report(line).words for line in failed.lines()))
