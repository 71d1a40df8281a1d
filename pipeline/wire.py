"""Every message that passes between the engine and its listeners. Imports nothing of ours and loads no torch.

A message is ``[topic, header, blob?]``: the topic is ``"<kind>/<stream>"``, the header one JSON object. Readers
ignore fields that they do not know; writers never send NaN or Infinity. ``docs/wire.schema.json`` is generated from
these types.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import msgspec

SCHEMA = 1
NOTICE = "RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE"
OTHER = "other"

State = Literal["live", "frozen", "black", "no_signal"]
HealthState = Literal["live", "frozen", "black", "no_signal", "stale", "lost", "failed"]
EventName = Literal[
    "freeze", "unfreeze", "signal_lost", "signal_back", "source_ended", "source_lost", "source_back",
    "source_failed", "source_warning",
    "spacing_changed", "sector_changed", "sector_unknown", "layout_changed", "frame_failed", "new_exam", "mark",
    "decision", "snapshot", "asked", "protocol", "exported", "clip", "paused", "resumed",
]  # fmt: skip
"""Events that this version tells of; readers take any other for what its name says."""
GestationMissing = Literal["no_spacing", "not_brain", "preparing", "uncertain", "out_of_range", "model_has_none"]


class FrameInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Which frame a message speaks of; the fields are those of ``streamer.frame.Frame``."""

    index: int
    epoch: int
    pts_seconds: float
    captured_ns: int
    spacing_mm: float | None = None
    spacing_from: str | None = None


class LabelScore(msgspec.Struct, frozen=True, kw_only=True):
    """``cosine``: image · text; ``raw``: this frame's probability; ``smoothed``: after the temporal stage."""

    cosine: float | None
    raw: float
    smoothed: float


class Gestation(msgspec.Struct, frozen=True, kw_only=True):
    """Gestational age in days from the last menstrual period; ``low_days`` to ``high_days`` is the 90% interval."""

    days: float
    low_days: float
    high_days: float
    frame_days: float | None
    frames: int
    zooms: int
    method: str


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """Of the picture inside the sector, each 0 to 1.

    ``sharpness``: of fine detail. ``steadiness``: how little the probe moves. ``contrast``: how clearly structures
    stand out; None in recordings from before it was measured.
    """

    sharpness: float
    steadiness: float
    contrast: float | None = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence scored live, 0 to 1, with its percentile among this session's frames since it was asked.

    ``note``: why the score should not be trusted, as where the model never learnt the words.
    """

    text: str
    score: float
    percentile: float | None
    note: str | None = None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds spent at each hop; None where a frame did not pass it (a reused frame is not encoded).

    ``capture``: from the source's stamp until the frame reached the engine's process (masking, and the way there).
    ``queue``: waiting, for the engine and then for the device. ``preprocess`` and ``encode``: of its whole batch.
    ``publish``: from its analysis to its going
    out, None where it is not published but stored. ``total``: from capture to publication.
    """

    capture: float | None = None
    queue: float | None = None
    preprocess: float | None = None
    encode: float | None = None
    publish: float | None = None
    total: float | None = None


class Header(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind"):
    """Fields that every message carries; whoever sends fills them in (``MessageStamper.stamp``)."""

    schema: int = SCHEMA
    run: str = ""
    exam: str = ""
    stream: str = ""
    seq: int = 0
    published_ns: int = 0
    wall_time: str = ""
    notice: str = NOTICE


class Reading(Header, kw_only=True, frozen=True, tag="reading"):
    """What the model said of one frame, one per frame analysed or reused.

    ``subplane_close``: the second subplane, where it is too close to the first to be left unsaid.
    """

    frame: FrameInfo
    state: State
    reused: bool
    planes: dict[str, LabelScore]
    plane: str | None
    subplanes: dict[str, LabelScore] | None
    subplane: str | None
    subplane_close: str | None = None
    gestation: Gestation | None
    gestation_missing: GestationMissing | None
    quality: Quality | None
    ask: Ask | None
    latency_ms: Latency
    model: str
    calibrated: bool
    dropped: int


class Keyframe(Header, kw_only=True, frozen=True, tag="keyframe"):
    """A better frame for a plane; its picture is fetched over the control channel by its id.

    ``score``: None for a frame that the operator took of which nothing could be read. ``rank``: its place among the
    kept frames of its plane when it was told, 0 the best, from 1 the runners-up, which are of other moments; None for a
    frame that the operator took.
    """

    keyframe: str
    plane: str
    subplane: str | None
    score: float | None
    parts: dict[str, float]
    frame: FrameInfo
    gestation: Gestation | None
    chosen_by: Literal["score", "operator"] = "score"
    rank: int | None = 0


class Preview(Header, kw_only=True, frozen=True, tag="preview"):
    """A small picture of the masked frame; the blob is a JPEG."""

    width: int
    height: int
    frame: FrameInfo


class Embedding(Header, kw_only=True, frozen=True, tag="embedding"):
    """The image's unit vector; the blob is ``dim`` numbers of ``dtype``, little-endian."""

    frame: FrameInfo
    dim: int
    dtype: Literal["float16", "float32"]


class Event(Header, kw_only=True, frozen=True, tag="event"):
    """Something that happened; ``detail`` holds plain values only."""

    event: str
    detail: dict[str, Any] = {}


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """captured = analysed + reused + dropped + failed + in_flight, always."""

    captured: int = 0
    analysed: int = 0
    reused: int = 0
    dropped: int = 0
    failed: int = 0
    in_flight: int = 0


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds over the last ten seconds; None before there are samples, ``p999`` before there are 1,000."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None


class Health(Header, kw_only=True, frozen=True, tag="health"):
    """Once a second per stream, also when no frame comes.

    ``latency_ms``: from capture to the end of the analysis. ``hops_ms``: what of it went where; see `Latency`.
    """

    state: HealthState
    fps_in: float
    fps_out: float
    counts: Counts
    reconnects: int
    last_frame_age_ms: float | None
    latency_ms: Percentiles
    device: str
    memory_mb: float
    hops_ms: dict[str, Percentiles] = {}
    paused: bool = False


class Goodbye(Header, kw_only=True, frozen=True, tag="goodbye"):
    """The clean end of a run."""

    reason: str


Message: TypeAlias = Reading | Keyframe | Preview | Embedding | Event | Health | Goodbye


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A control command; a repeated ``id`` gets the first reply again."""

    id: str
    command: str
    args: dict[str, Any] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a ``Request``: ``result`` where ``ok``, else ``error``, one line that says what to do."""

    id: str
    ok: bool
    result: Any = None
    error: str | None = None


_decoder = msgspec.json.Decoder(Message)


class NotFinite(ValueError):
    """A number that JSON cannot carry was about to be sent."""


def kind_of(message: Message) -> str:
    """The message's kind, the first half of its topic."""
    return str(message.__struct_config__.tag)


def topic_of(message: Message) -> bytes:
    """``b"<kind>/<stream>"``."""
    return f"{kind_of(message)}/{message.stream}".encode()


def encode(message: Message | Request | Reply) -> bytes:
    """One JSON object, UTF-8.

    Raises:
        NotFinite: naming the path of the first NaN or Infinity (msgspec alone would write null in its place).
    """
    plain = msgspec.to_builtins(message)
    bad = _first_not_finite(plain, "")
    if bad is not None:
        raise NotFinite(f"{type(message).__name__}{bad} is not a finite number")
    return msgspec.json.encode(plain)


def decode(header: bytes) -> Message:
    """A message from its JSON header.

    Raises:
        msgspec.ValidationError: a field is missing or of the wrong type; the message names its path.
        msgspec.DecodeError: not JSON.
    """
    return _decoder.decode(header)


def _first_not_finite(value: Any, path: str) -> str | None:
    if isinstance(value, float):
        return None if math.isfinite(value) else path
    if isinstance(value, dict):
        pairs: Any = ((f"{path}.{key}", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        pairs = ((f"{path}[{i}]", item) for i, item in enumerate(value))
    else:
        return None
    return next((bad for key, item in pairs if (bad := _first_not_finite(item, key)) is not None), None)
