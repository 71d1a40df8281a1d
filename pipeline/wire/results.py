"""The results in the replies to control commands; one that an event or message holds too is defined there."""

from __future__ import annotations

from typing import Any

import msgspec

from fetalstream.pipeline.wire.messages import Keyframe


class Nothing(msgspec.Struct, frozen=True):
    """An empty object: that the command was carried out is all there is to say."""


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one topic, in order.

    Attributes:
        messages: their headers, as published.
        oldest: the lowest ``seq`` that is still held; None if nothing is.
        newest: the highest.
        more: the answer was cut; ask again after its last ``seq``.
    """

    messages: list[Any]
    oldest: int | None
    newest: int | None
    more: bool


class Keyframes(msgspec.Struct, frozen=True, kw_only=True):
    """The kept frames as they were published, with the rank that each has now."""

    keyframes: list[Keyframe]


class KeyframeFound(msgspec.Struct, frozen=True, kw_only=True):
    """The keyframe's header as it was published, or its id alone if it was published too long ago."""

    keyframe: str


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """The map's keyframe and plane, the method and model that drew it, and how well the plane fits (None: unknown)."""

    keyframe: str
    plane: str
    method: str
    model: str
    score: float | None


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """The keyframes and clips that were acknowledged."""

    ids: list[str]
    clips: list[str] = []


class SnapshotsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of the frames that were kept."""

    keyframes: list[str]


class ExamBegun(msgspec.Struct, frozen=True, kw_only=True):
    """The id of the examination that begins."""

    exam: str


class SpacingSet(msgspec.Struct, frozen=True, kw_only=True):
    """The spacing now in force, mm per pixel; None if it is left to the source."""

    spacing_mm: float | None


class SectorSet(msgspec.Struct, frozen=True, kw_only=True):
    """The scan region as it was given."""

    sector: Any


class ProtocolChosen(msgspec.Struct, frozen=True, kw_only=True):
    """The protocol as it was put on record."""

    protocol: str | None


class ExportNoted(msgspec.Struct, frozen=True, kw_only=True):
    """The export as it was put on record."""

    what: str


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's condition now: ``paused`` or not."""

    paused: bool
