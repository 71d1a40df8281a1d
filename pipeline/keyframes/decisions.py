"""The operator's decisions on the best frames of one examination; each can be undone, the last first.

Passive. A decision changes nothing that was recorded: it is an event of its own (``decision``), and whoever shows
best frames applies the events in order. Here only the keyframe store follows, so that lesser frames are wanted again
after a rejection.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final, Literal, NamedTuple, get_args

from fetalstream.pipeline.keyframes.keyframe_store import KeyframeStore
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe

Verdict = Literal["accept", "reject", "relabel"]
VERDICTS: Final[tuple[str, ...]] = get_args(Verdict)
_ANNOUNCED: Final = 2_000


class _Made(NamedTuple):
    number: int
    keyframe: str
    verdict: str
    withdrawn: StoredKeyframe | None


class Decisions:
    """Decisions on kept frames, in order; to be used with the examination's own keyframe store."""

    def __init__(self) -> None:
        self._announced: OrderedDict[str, None] = OrderedDict()
        self._made: list[_Made] = []
        self._count = 0

    def announced(self, keyframe: str) -> None:
        """Note that a keyframe was published: it can be decided on, even after a better one has replaced it."""
        self._announced[keyframe] = None
        if len(self._announced) > _ANNOUNCED:
            self._announced.popitem(last=False)

    def decide(
        self, keyframe_store: KeyframeStore, keyframe: str, verdict: str, plane: str | None, subplane: str | None
    ) -> dict[str, Any]:
        """Take a decision and return the event's detail.

        Args:
            keyframe_store: of this examination.
            keyframe: id of a frame announced in this examination.
            verdict: "accept": it stays the best of its plane until another is accepted; "reject": it does not count;
                "relabel": it counts as ``plane`` and ``subplane``, and is accepted as such.
            plane: for "relabel".
            subplane: likewise, None for none.

        Raises:
            ValueError: no such frame or verdict, or no plane to relabel it to.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"verdict must be {', '.join(VERDICTS)}, got {verdict!r}")
        if keyframe not in self._announced:
            raise ValueError(f"no best frame {keyframe!r} in this exam: ask for keyframes")
        if verdict == "relabel" and not plane:
            raise ValueError("relabel wants the plane that the frame really shows")
        withdrawn = keyframe_store.withdraw(keyframe) if verdict in ("reject", "relabel") else None
        self._count += 1
        self._made.append(_Made(self._count, keyframe, verdict, withdrawn))
        label = {"plane": plane, "subplane": subplane} if verdict == "relabel" else {}
        return {"number": self._count, "keyframe": keyframe, "verdict": verdict, **label}

    def undo(self, keyframe_store: KeyframeStore) -> dict[str, Any]:
        """Undo the last decision that still stands and return the event's detail.

        Raises:
            ValueError: there is none.
        """
        if not self._made:
            raise ValueError("there is no decision in this exam to take back")
        made = self._made.pop()
        if made.withdrawn is not None:
            keyframe_store.put_back(made.withdrawn)
        return {"number": made.number, "keyframe": made.keyframe, "verdict": "undo", "of": made.verdict}
