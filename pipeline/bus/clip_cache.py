"""Clips of best frames are encoded in a thread of their own, and kept, within bounds, until they are saved."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.replies import Answered
from fetalstream.pipeline.keyframes.clip_buffer import CLIP_BYTES, Cut
from fetalstream.pipeline.keyframes.clip_file import matroska

WAITING_BYTES: Final = CLIP_BYTES
"""Raw frames of clips that wait to be encoded, beside those of the ring; what comes then is refused."""

KEPT_BYTES: Final = 64 * 2**20
"""Encoded clips that are kept: the oldest go first, those that are saved before those that are not."""


@dataclass(eq=False, slots=True)
class _Clip:
    about: wire.ClipDetail
    file: Future[bytes]
    saved: bool = False


class ClipCache:
    """Encodes clips, hands them out and forgets them; for several threads.

    Args:
        waiting_bytes: most raw frames that wait to be encoded.
        kept_bytes: most encoded clips.
    """

    def __init__(self, waiting_bytes: int = WAITING_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
        self._waiting_most, self._kept_most = waiting_bytes, kept_bytes
        self._clips: OrderedDict[str, _Clip] = OrderedDict()
        self._waiting_bytes = self._kept_bytes = 0
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None

    def add(self, cut: Cut) -> wire.ClipDetail | None:
        """Take a clip and return the detail of its event; None, and the clip is dropped, if too many wait already."""
        size, about, keyframe = cut.nbytes, about_cut(cut), cut.best.keyframe
        with self._lock:
            if self._waiting_bytes and self._waiting_bytes + size > self._waiting_most:
                return None
            self._waiting_bytes += size
            self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="clips")
            file = self._thread.submit(matroska, cut)
            self._clips[keyframe] = _Clip(about, file)
        # A future keeps what its callbacks hold for as long as it lives: raw frames must not be among it.
        file.add_done_callback(lambda done: self._encoded(keyframe, size, done))
        return about

    def fetch(self, keyframe: str) -> Future[Any]:
        """Return a future of the clip of that best frame, done once it is encoded.

        Raises:
            KeyError: no clip of it is kept.
        """
        with self._lock:
            clip = self._clips[keyframe]
        answer: Future[Any] = Future()

        def pass_on(done: Future[bytes]) -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(Answered(clip.about, done.result()))
            except Exception as error:
                answer.set_exception(error)

        clip.file.add_done_callback(pass_on)
        return answer

    def saved(self, keyframes: list[str]) -> list[str]:
        """Note that these clips are on a recorder's disk; return those that are known."""
        with self._lock:
            known = [each for each in keyframes if each in self._clips]
            for each in known:
                self._clips[each].saved = True
        return known

    @property
    def unsaved(self) -> int:
        """The number of clips that nobody has saved."""
        with self._lock:
            return sum(not clip.saved for clip in self._clips.values())

    def close(self) -> None:
        """Give up the clips that wait, and end the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)

    def _encoded(self, keyframe: str, waited_bytes: int, done: Future[bytes]) -> None:
        with self._lock:
            self._waiting_bytes -= waited_bytes
            if done.cancelled() or done.exception() is not None:
                self._clips.pop(keyframe, None)
                return
            self._kept_bytes += len(done.result())
            while self._kept_bytes > self._kept_most and (oldest := self._first_to_go()) is not None:
                self._kept_bytes -= len(self._clips.pop(oldest).file.result())

    def _first_to_go(self) -> str | None:
        encoded = [key for key, clip in self._clips.items() if clip.file.done()]
        if len(encoded) < 2:
            return None
        return next((key for key in encoded if self._clips[key].saved), encoded[0])


def about_cut(cut: Cut) -> wire.ClipDetail:
    """Return the detail of a clip's event: media time of its first, best and last frame, and how many there are."""
    return {
        "keyframe": cut.best.keyframe,
        "frames": len(cut.stills),
        "from_seconds": cut.stills[0].pts_seconds,
        "at_seconds": cut.best.frame.pts_seconds,
        "to_seconds": cut.stills[-1].pts_seconds,
    }
