"""The events that an engine publishes: their names, what each means, and what its ``detail`` holds."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple, NotRequired, TypedDict

from fetalstream.pipeline.wire.messages import State

EventName = Literal[
    "freeze", "unfreeze", "signal_lost", "signal_back", "source_ended", "source_lost", "source_back",
    "source_failed", "source_warning",
    "spacing_changed", "sector_changed", "sector_unknown", "layout_changed", "frame_failed", "new_exam", "mark",
    "decision", "snapshot", "asked", "protocol", "exported", "clip", "paused", "resumed",
]  # fmt: skip
"""The events that this version publishes; readers take any other name for what it says."""

Verdict = Literal["accept", "reject", "relabel"]


class NoDetail(TypedDict):
    """The detail of an event that its name says all about."""


class SignalDetail(TypedDict):
    """The signal's new state, and the frame at which it changed."""

    state: State
    index: int


class ReasonDetail(TypedDict):
    """The reason, one line."""

    reason: str


class WarningDetail(TypedDict):
    """The warning, one line."""

    text: str


class SpacingDetail(TypedDict):
    """The spacing now in force, mm per pixel, and who said so; None if it is unknown or left to the source."""

    spacing_mm: float | None
    spacing_from: str | None


SectorChangedDetail = TypedDict(
    "SectorChangedDetail",
    {"sector": str | None, "confidence": NotRequired[float], "from": NotRequired[str]},
)
SectorChangedDetail.__doc__ = (
    """The region as text, None for the whole frame; its confidence and origin if it was found."""
)


class FrameFailedDetail(TypedDict):
    """The frame and why nothing was read of it."""

    index: int
    reason: str


class NewExamDetail(TypedDict):
    """The id of the examination before."""

    previous: str


class MarkDetail(TypedDict):
    """The operator's note, and the newest frame at that moment, if there was one."""

    text: str
    index: NotRequired[int]
    epoch: NotRequired[int]
    pts_seconds: NotRequired[float]


class DecisionDetail(TypedDict):
    """The decision's number in its examination, the keyframe, and the verdict.

    ``plane`` and ``subplane`` come with "relabel"; ``of``, the verdict that was taken back, with "undo".
    """

    number: int
    keyframe: str
    verdict: Literal["accept", "reject", "relabel", "undo"]
    plane: NotRequired[str | None]
    subplane: NotRequired[str | None]
    of: NotRequired[Verdict]


class SnapshotDetail(TypedDict):
    """The id of the keyframe that was taken."""

    keyframe: str


class AskedDetail(TypedDict):
    """The sentence that is scored from now on, None for none, and a note on how far to trust its score."""

    text: str | None
    note: str | None


class ProtocolDetail(TypedDict):
    """The name of the protocol whose views are collected; None for none."""

    protocol: str | None


class ExportedDetail(TypedDict):
    """The kind of what was written, for example "report"."""

    what: str


class ClipDetail(TypedDict):
    """The keyframe that the clip is of, its number of frames, and media time of its first, best and last frame."""

    keyframe: str
    frames: int
    from_seconds: float
    at_seconds: float
    to_seconds: float


class EventKind(NamedTuple):
    """The meaning of an event, one line, and the type of its ``detail``."""

    meaning: str
    detail: type[Any]


EVENTS: Final[dict[EventName, EventKind]] = {
    "freeze": EventKind("The picture stands still: the scanner is frozen.", SignalDetail),
    "unfreeze": EventKind("The picture moves again.", SignalDetail),
    "signal_lost": EventKind("The picture has gone black, or there is no signal.", SignalDetail),
    "signal_back": EventKind("There is a picture again.", SignalDetail),
    "source_ended": EventKind("The source came to its proper end.", NoDetail),
    "source_lost": EventKind("Frames have ceased to come, or the source ended early.", ReasonDetail),
    "source_back": EventKind("Frames come again.", NoDetail),
    "source_failed": EventKind("The capture was given up; `resume` starts it again.", ReasonDetail),
    "source_warning": EventKind("Something about the source that the operator should know.", WarningDetail),
    "spacing_changed": EventKind("Another spacing is in force.", SpacingDetail),
    "sector_changed": EventKind("Another scan region is in force.", SectorChangedDetail),
    "sector_unknown": EventKind("No scan region was found.", ReasonDetail),
    "layout_changed": EventKind("The screen's layout or the frame size is another one.", NoDetail),
    "frame_failed": EventKind("Nothing could be read of a frame; one trouble is reported once.", FrameFailedDetail),
    "new_exam": EventKind("Another examination has begun.", NewExamDetail),
    "mark": EventKind("The operator set a mark.", MarkDetail),
    "decision": EventKind("The operator decided on a best frame, or took a decision back.", DecisionDetail),
    "snapshot": EventKind("The operator kept a frame.", SnapshotDetail),
    "asked": EventKind("Another sentence, or none, is scored from now on.", AskedDetail),
    "protocol": EventKind("The operator chose which views to collect.", ProtocolDetail),
    "exported": EventKind("A report or export of the session was written.", ExportedDetail),
    "clip": EventKind("The clip of a best frame can be fetched.", ClipDetail),
    "paused": EventKind("The engine was paused: no frame is analysed.", NoDetail),
    "resumed": EventKind("The engine goes on after a pause.", NoDetail),
}
