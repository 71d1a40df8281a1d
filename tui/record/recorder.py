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
from typing import Final

from fetalstream.pipeline.wire import ConfirmSaved, Event, GetClip, GetKeyframe, Goodbye, Keyframe
from fetalstream.tui.feed.control_client import Context, ControlClient, NoAnswer, NoEndpoint, new_context
from fetalstream.tui.feed.discover import discover
from fetalstream.tui.feed.listener import REFILL_S, Listener, ReceivedMessage
from fetalstream.tui.feed.protocol import RequestFailed
from fetalstream.tui.record.session_clips import CLIP
from fetalstream.tui.record.session_files import FULL_DISK_BYTES, LOW_DISK_BYTES, DamagedPicture, make_folder
from fetalstream.tui.record.store import SessionStore
from fetalstream.tui.state.recording_status import RecorderReport

COMMIT_EVERY_S: Final = 0.25
LOOK_AT_DISK_EVERY_S: Final = 5.0
TRY_AGAIN_S: Final = 0.5
ATTACH_S: Final = 10.0
SAY_AGAIN_S: Final = 30.0
_ROWS_A_COMMIT: Final = 2_000
_REFUSALS: Final = 3
_CLIP_S: Final = 1.0  # the engine may still be encoding it, and there is more to listen to


def record(
    endpoint: str | None,
    out_dir: Path,
    stop: threading.Event,
    *,
    report: Callable[[RecorderReport], None],
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> None:
    """Records every run of an engine into ``out_dir/<start>_<run>/``, until ``stop`` is set or it says goodbye.

    It waits for an engine that is not there yet, follows one that is started again (a new run, a new folder), and
    goes on trying when the disk is full or read-only; each of these is reported.

    Args:
        endpoint: of the control channel or the publisher; None for the newest engine of this user.
        out_dir: is made where it is missing, 0700.
        stop: may be set from a signal handler. What has been published until then is still written.
        report: gets the reports, from this thread.
        free_bytes: room on a folder's disk.

    Raises:
        NoEndpoint: what was given is none.
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
    """Records one run; True when it ended with a goodbye or a stop, False when it is to be attached to anew."""
    found = discover(ControlClient(context, stop), endpoint, ATTACH_S)
    asker = ControlClient(context)
    with SessionStore(out_dir, found.state) as store:
        listener = Listener(context, asker, found, store.last_seqs())
        try:
            run = _Run(store, listener, asker, {each.stream for each in found.state.streams})
            say.over(RecorderReport(state="recording", folder=str(store.folder)))
            if store.mended.words is not None:
                say.over(_note(store.mended.words))
            return run.follow(stop, lambda: _look_at_disk(out_dir, free_bytes, say))
        finally:
            listener.close()


class _Run:
    """One engine's run on its way to disk; it is over when each of its streams has said goodbye."""

    def __init__(self, store: SessionStore, listener: Listener, asker: ControlClient, streams: set[str]) -> None:
        self._store = store
        self._listener = listener
        self._asker = asker
        self._uncommitted = 0
        self._talking = streams
        self._ended = False
        self._pictures_due = True
        self._refused: Counter[str] = Counter()

    def follow(self, stop: threading.Event, look_at_disk: Callable[[], None]) -> bool:
        """See ``_record_run``."""
        self._acknowledge(self._store.saved(), self._store.clips.saved())  # it may not have heard the last word
        self._catch_up()
        commit_s = disk_s = time.monotonic()
        while not stop.is_set() and not self._ended:
            if self._listener.run != self._store.run:
                for keyframe in self._store.wanted():
                    self._store.forget_keyframe(keyframe)  # it died with the engine that held it
                for keyframe in self._store.clips.wanted():
                    self._store.clips.forget(keyframe)
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

    def _add(self, heard: Iterable[ReceivedMessage]) -> None:
        for message, header, blob in heard:
            if message.run != self._store.run:
                return
            self._store.add(message, header, blob)
            if isinstance(message, Goodbye):
                self._talking.discard(message.stream)
                self._ended = message.stream == "" or not self._talking
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
            self._pictures_due = self._fetch_pictures() | self._fetch_clips()

    def _fetch_pictures(self) -> bool:
        """Fetches and saves what is wanted; whether something is left for another time."""
        saved: list[str] = []
        left = False
        for keyframe in self._store.wanted():
            try:
                _, png = self._asker.ask(self._listener.control, GetKeyframe(keyframe=keyframe), REFILL_S)
                self._store.save_keyframe(keyframe, png or b"")
                saved.append(keyframe)
            except NoAnswer:
                left = True
                break
            except (RequestFailed, DamagedPicture):
                # Most likely a better frame replaced it before anybody fetched it; but the engine may be busy.
                self._refused[keyframe] += 1
                if self._refused[keyframe] >= _REFUSALS:
                    self._store.forget_keyframe(keyframe)
                else:
                    left = True
        self._store.commit()
        self._acknowledge(saved, [])
        return left

    def _fetch_clips(self) -> bool:
        """The same for clips."""
        saved: list[str] = []
        left = False
        for keyframe in self._store.clips.wanted():
            try:
                _, clip = self._asker.ask(self._listener.control, GetClip(keyframe=keyframe), _CLIP_S)
                self._store.clips.save(keyframe, clip or b"")
                saved.append(keyframe)
            except NoAnswer:
                left = True
                break
            except (RequestFailed, DamagedPicture):
                self._store.clips.forget(keyframe)  # pushed out by newer ones before anybody fetched it
        self._store.commit()
        self._acknowledge([], saved)
        return left

    def _acknowledge(self, keyframes: list[str], clips: list[str]) -> None:
        if keyframes or clips:
            with contextlib.suppress(RequestFailed):  # said again at the next attachment
                self._asker.ask(self._listener.control, ConfirmSaved(ids=keyframes, clips=clips), REFILL_S)


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
