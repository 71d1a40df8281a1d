"""The recorder: the only writer of a session. It may die at any time; whoever starts it again loses nothing.

There is one way to recover from anything, a kill, an engine started again, a full disk: let go of everything, attach
anew, and ask the engine for all that the session does not hold yet.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from fetalstream.pipeline.wire import Command, ConfirmSaved, Event, GetClip, GetKeyframe, Goodbye, Keyframe
from fetalstream.tui.feed.control_client import Context, ControlClient, NoAnswer, NoEndpoint, new_context
from fetalstream.tui.feed.discover import discover
from fetalstream.tui.feed.listener import REFILL_S, Listener, ReceivedMessage
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.record.keyframe_files import KeyframeFiles
from fetalstream.tui.record.session_files import FULL_DISK_BYTES, LOW_DISK_BYTES, DamagedPicture, make_folder
from fetalstream.tui.record.store import CLIP, SessionStore
from fetalstream.tui.state.recording_status import RecorderReport

COMMIT_EVERY_S: Final = 0.25
LOOK_AT_DISK_EVERY_S: Final = 5.0
TRY_AGAIN_S: Final = 0.5
ATTACH_S: Final = 10.0
SAY_AGAIN_S: Final = 30.0
_ROWS_A_COMMIT: Final = 2_000
_PICTURE_TRIES: Final = 3
_FETCH_S: Final = 20.0  # in one turn; the rest comes in the next
_CLIP_S: Final = 1.0  # the engine may still be encoding it, and there is more to listen to


def record(
    endpoint: str | None,
    out_dir: Path,
    stop: threading.Event,
    *,
    report: Callable[[RecorderReport], None],
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> None:
    """Record every run of an engine into ``out_dir/<start>_<run>/``, until ``stop`` is set or it says goodbye.

    It waits for an engine that is not there yet, follows one that is started again (a new run, a new folder), and
    goes on trying when the disk is full or read-only; each of these is reported.

    Args:
        endpoint: the engine's control channel or publisher; None for the newest engine of this user.
        out_dir: the folder of sessions, made (0700) if it is missing.
        stop: may be set from a signal handler. What has been published until then is still written.
        report: gets the reports, from this thread.
        free_bytes: returns the free room on a folder's disk.

    Raises:
        NoEndpoint: ``endpoint`` is none.
    """
    context = new_context()
    say = _Once(report)
    try:
        while not stop.is_set():
            try:
                _look_at_disk(make_folder(out_dir), free_bytes, say)
                if _record_run(context, endpoint, out_dir, stop, say, free_bytes):
                    return
            except NoEndpoint:
                raise
            except RequestFailed as error:
                say(_note(str(error)))
            except (OSError, sqlite3.Error) as error:
                reason = f"{_reason(error)} in {out_dir}; it goes on as soon as that is mended"
                say(RecorderReport(state="not_recording", text=reason))
            stop.wait(TRY_AGAIN_S)
    finally:
        context.destroy(0)


def _record_run(
    context: Context,
    endpoint: str | None,
    out_dir: Path,
    stop: threading.Event,
    say: _Once,
    free_bytes: Callable[[Path], int],
) -> bool:
    """Record one run; return True after a goodbye or a stop, False if it must be attached to anew."""
    found = discover(ControlClient(context, stop), endpoint, ATTACH_S)
    client = ControlClient(context)
    with SessionStore(out_dir, found.state) as store:
        listener = Listener(context, client, found, store.last_seqs())
        try:
            run = _Run(store, listener, client, {each.stream for each in found.state.streams})
            say.over(RecorderReport(state="recording", folder=str(store.folder)))
            if store.repair.words is not None:
                say.over(_note(store.repair.words))

            def look() -> None:
                _look_at_disk(out_dir, free_bytes, say)
                if listener.unreadable:
                    say(_note(f"{listener.unreadable} messages of the engine cannot be read and are left out"))

            return run.follow(stop, look)
        finally:
            listener.close()


class _Fetching(NamedTuple):
    """How one kind of file is fetched from the engine.

    Attributes:
        files: where they go, and which are wanted.
        command: asks for the file of one best frame.
        confirmation: says which files are saved.
        timeout_s: how long to wait for one.
        tries: after so many refusals the engine no longer has it.
    """

    files: KeyframeFiles
    command: Callable[[str], Command]
    confirmation: Callable[[list[str]], ConfirmSaved]
    timeout_s: float
    tries: int


class _Run:
    """One engine's run on its way to disk; it is over when each of its streams has said goodbye."""

    def __init__(self, store: SessionStore, listener: Listener, client: ControlClient, streams: set[str]) -> None:
        self._store = store
        self._listener = listener
        self._client = client
        self._fetchings = (
            _Fetching(
                store.pictures,
                lambda keyframe: GetKeyframe(keyframe=keyframe),
                lambda ids: ConfirmSaved(ids=ids),
                REFILL_S,
                _PICTURE_TRIES,
            ),
            _Fetching(
                store.clips,
                lambda keyframe: GetClip(keyframe=keyframe),
                lambda ids: ConfirmSaved(ids=[], clips=ids),
                _CLIP_S,
                1,
            ),
        )
        self._uncommitted = 0
        self._streams_left = streams
        self._ended = False
        self._pictures_due = True
        self._refused: Counter[tuple[str, str]] = Counter()

    def follow(self, stop: threading.Event, look_at_disk: Callable[[], None]) -> bool:
        """Write messages until the run is over; return as `_record_run` does."""
        # The engine may not have heard the last acknowledgement.
        for each in self._fetchings:
            self._acknowledge(each, each.files.saved())
        self._catch_up()
        commit_s = disk_s = time.monotonic()
        while not stop.is_set() and not self._ended:
            if self._listener.run != self._store.run:
                for each in self._fetchings:
                    for keyframe in each.files.wanted():
                        each.files.forget(keyframe)  # it died with the engine that held it
                return False
            if self._listener.unanswered:
                return False
            now_s = time.monotonic()
            if now_s >= disk_s:
                look_at_disk()
                disk_s = now_s + LOOK_AT_DISK_EVERY_S
            self._add(self._listener.receive(COMMIT_EVERY_S / 2))
            if now_s >= commit_s or self._pictures_due:
                self._commit()
                commit_s = now_s + COMMIT_EVERY_S
        self._catch_up()
        self._commit()
        if self._pictures_due and not stop.is_set():
            self._commit()  # what was being encoded, or an engine that was busy
        return True

    def _add(self, received: Iterable[ReceivedMessage]) -> None:
        for message, header, blob in received:
            if message.run != self._store.run:
                return
            self._store.add(message, header, blob)
            if isinstance(message, Goodbye):
                self._streams_left.discard(message.stream)
                self._ended = message.stream == "" or not self._streams_left
            self._pictures_due |= isinstance(message, Keyframe) or (
                isinstance(message, Event) and message.event == CLIP
            )
            self._uncommitted += 1
            if self._uncommitted >= _ROWS_A_COMMIT:
                self._commit()

    def _catch_up(self) -> None:
        with contextlib.suppress(NoAnswer):  # it is away; the next attachment asks again
            self._add(self._listener.catch_up())

    def _commit(self) -> None:
        self._store.commit()
        self._uncommitted = 0
        if self._pictures_due:
            left = [self._fetch(each) for each in self._fetchings]
            self._pictures_due = any(left)

    def _fetch(self, fetching: _Fetching) -> bool:
        """Fetch and save the wanted files of one kind; return whether some are left for another time."""
        saved: list[str] = []
        left = False
        until_s = time.monotonic() + _FETCH_S
        for keyframe in fetching.files.wanted():
            if time.monotonic() >= until_s:
                left = True
                break
            try:
                command = fetching.command(keyframe)
                _, data = self._client.ask(self._listener.control, command, fetching.timeout_s)
                fetching.files.save(keyframe, data or b"")
                saved.append(keyframe)
            except NoAnswer:
                left = True
                break
            except (RequestFailed, DamagedPicture):
                # Most likely a newer one replaced it before anybody fetched it; but the engine may be busy.
                self._refused[fetching.files.kind.name, keyframe] += 1
                if self._refused[fetching.files.kind.name, keyframe] >= fetching.tries:
                    fetching.files.forget(keyframe)
                else:
                    left = True
        self._store.commit()
        self._acknowledge(fetching, saved)
        return left

    def _acknowledge(self, fetching: _Fetching, keyframes: list[str]) -> None:
        if keyframes:
            with contextlib.suppress(RequestFailed):  # repeated at the next attachment
                self._client.ask(self._listener.control, fetching.confirmation(keyframes), REFILL_S)


class _Once:
    """Passes a report on when it is new, and every ``SAY_AGAIN_S`` while it is repeated: loud, but no flood."""

    def __init__(self, report: Callable[[RecorderReport], None]) -> None:
        self._report = report
        self._last: RecorderReport | None = None
        self._last_s = 0.0

    def __call__(self, report: RecorderReport) -> None:
        now_s = time.monotonic()
        if report != self._last or now_s - self._last_s >= SAY_AGAIN_S:
            self._report(report)
            self._last, self._last_s = report, now_s

    def over(self, report: RecorderReport) -> None:
        """Pass a report on that ends the trouble reported before: if that comes back, it is news."""
        self._report(report)
        self._last = None


def _note(text: str) -> RecorderReport:
    return RecorderReport(state="note", text=f"Recorder: {text}")


def _look_at_disk(folder: Path, free_bytes: Callable[[Path], int], say: _Once) -> None:
    free = free_bytes(folder)
    if free < FULL_DISK_BYTES:
        raise OSError(errno.ENOSPC, f"only {free / 1e9:.1f} GB are free")
    if free < LOW_DISK_BYTES:
        limit = f"below {FULL_DISK_BYTES / 1e9:.0f} GB recording stops"
        say(_note(f"only {free / 1e9:.1f} GB are free on the disk; {limit}"))


def _reason(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, BlockingIOError):
        return "another recorder writes this session"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
