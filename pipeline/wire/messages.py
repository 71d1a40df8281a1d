"""The messages that an engine publishes, one class for each kind, and the parts that they are made of.

A message is ``[topic, header, blob?]``: the topic is ``"<kind>/<stream>"``, the header one JSON object. Readers ignore
fields that they do not know. Every module of this package imports nothing of ours outside it and loads no torch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

SCHEMA = 1
NOTICE = "RESEARCH USE ONLY - NOT FOR DIAGNOSTIC USE"
OTHER = "other"
"""The label of a frame that shows none of the planes."""

State = Literal["live", "frozen", "black", "no_signal"]
HealthState = Literal["live", "frozen", "black", "no_signal", "stale", "lost", "failed"]
GestationMissing = Literal["no_spacing", "not_brain", "preparing", "uncertain", "out_of_range", "model_has_none"]

Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""64 bits, as much as databases and tables of other programs hold."""

Number = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
Days = Annotated[float, msgspec.Meta(ge=0, le=1000)]
"""An age; a reader can draw every value that a message may hold."""


class FrameInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The frame that a message is about; the fields are those of ``streamer.frame.Frame``.

    Attributes:
        index: number of the frame in its source; a gap is a dropped frame.
        epoch: another number once time has jumped, or the size, layout, depth or connection has changed.
        pts_seconds: media time.
        captured_ns: arrival, on the engine's monotonic clock.
        spacing_mm: millimetres per pixel; None if unknown.
        spacing_from: who said so, for example "operator" or "ruler"; None if unknown.
    """

    index: Integer
    epoch: Integer
    pts_seconds: Number
    captured_ns: Integer
    spacing_mm: Number | None = None
    spacing_from: str | None = None


class LabelScore(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of one label. ``cosine``: image · text; ``raw``: this frame's probability; ``smoothed``: over time.

    ``raw`` and ``smoothed`` each sum to 1 over a reading's labels. ``cosine`` is None for "other" if it has no text.
    """

    cosine: Number | None
    raw: Number
    smoothed: Number


class Gestation(msgspec.Struct, frozen=True, kw_only=True):
    """Gestational age in days, counted from the last menstrual period.

    Attributes:
        days: the estimate over all frames of the exam so far.
        low_days: lower end of the 90% interval.
        high_days: upper end of the 90% interval.
        frame_days: what the newest frame alone says; None if it says nothing.
        frames: how many frames the estimate rests on.
        zooms: at how many different zooms they were taken.
        method: how they were combined.
    """

    days: Days
    low_days: Days
    high_days: Days
    frame_days: Days | None
    frames: Integer
    zooms: Integer
    method: str


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """The quality of the picture inside the sector; each number lies between 0 and 1.

    ``sharpness``: amount of fine detail. ``steadiness``: how little the probe moves. ``contrast``: how clearly
    structures stand out; None in recordings from before it was measured.
    """

    sharpness: Number
    steadiness: Number
    contrast: Number | None = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence scored live.

    Attributes:
        text: the sentence.
        score: 0 to 1.
        percentile: 0 to 100, among this session's frames since it was asked; None while those are too few.
        note: why the score should not be trusted, for example because the model never learnt the words; else None.
    """

    text: str
    score: Number
    percentile: Number | None
    note: str | None = None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds spent at each hop; None for a hop that a frame did not pass (a reused frame is not encoded).

    Attributes:
        capture: from the source's stamp until the frame reached the engine's process, masked.
        queue: waiting for the engine and then for the device.
        preprocess: preparing the frame's whole batch.
        encode: the model's work on the frame's whole batch.
        publish: from the end of its analysis until it was sent; None if it is not published but stored.
        total: from capture to publication.
    """

    capture: Number | None = None
    queue: Number | None = None
    preprocess: Number | None = None
    encode: Number | None = None
    publish: Number | None = None
    total: Number | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Frames of one stream: captured = analysed + reused + dropped + failed + in_flight, always."""

    captured: Integer = 0
    analysed: Integer = 0
    reused: Integer = 0
    dropped: Integer = 0
    failed: Integer = 0
    in_flight: Integer = 0


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds over the last ten seconds; None before there are samples, ``p999`` before there are 1,000."""

    p50: Number | None = None
    p90: Number | None = None
    p99: Number | None = None
    p999: Number | None = None
    max: Number | None = None


class Header(msgspec.Struct, kw_only=True, frozen=True, tag_field="kind"):
    """The fields that every message carries; the sender's ``MessageStamper`` fills in most of them.

    Attributes:
        schema: version of this format.
        run: id of this start of the engine.
        exam: id of the examination.
        stream: name of the stream, never a file name or URL.
        seq: counts from 0 per topic and run, without gaps: a gap at the reader is a lost message.
        published_ns: the publisher's monotonic clock, for differences only.
        wall_time: RFC 3339, UTC.
        notice: the purpose that the software is limited to.
    """

    schema: Integer = SCHEMA
    run: str = ""
    exam: str = ""
    stream: str = ""
    seq: Integer = 0
    published_ns: Integer = 0
    wall_time: str = ""
    notice: str = NOTICE


class Reading(Header, kw_only=True, frozen=True, tag="reading"):
    """The model's reading of one frame, sent for each frame that is analysed or reused.

    Attributes:
        frame: which frame.
        state: of the signal.
        reused: the picture has not changed, so the last answer is repeated.
        planes: scores of each plane and of "other".
        plane: the plane that is decided on over time; None if there is none.
        subplanes: scores of the plane's subplanes; None if it has none.
        subplane: the subplane decided on.
        subplane_close: the second subplane, if it is too close to the first to be left unsaid.
        gestation: gestational age; None if there is no estimate.
        gestation_missing: why there is none.
        quality: of the picture; None if it was not measured.
        ask: the score of the sentence asked for; None if none is.
        latency_ms: milliseconds at each hop.
        model: name of the model.
        calibrated: whether its probabilities were calibrated.
        dropped: frames of this stream dropped so far.
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
    dropped: Integer


class Keyframe(Header, kw_only=True, frozen=True, tag="keyframe"):
    """A better frame for a plane; its picture is fetched over the control channel by its id.

    Attributes:
        keyframe: its id.
        plane: the plane that it shows.
        subplane: the subplane, or None.
        score: None for a frame that the operator took and of which nothing could be read.
        parts: what the score is made of.
        frame: which frame.
        gestation: gestational age at that frame.
        chosen_by: "operator" for a snapshot.
        rank: place among the kept frames of its plane when this was sent: 0 is the best, from 1 the runners-up, which
            are of other moments; None for a frame that the operator took.
    """

    keyframe: str
    plane: str
    subplane: str | None
    score: Number | None
    parts: dict[str, Number]
    frame: FrameInfo
    gestation: Gestation | None
    chosen_by: Literal["score", "operator"] = "score"
    rank: Integer | None = 0


class Preview(Header, kw_only=True, frozen=True, tag="preview"):
    """A small picture of the masked frame, a few times a second; the blob is a JPEG."""

    width: Integer
    height: Integer
    frame: FrameInfo


class Embedding(Header, kw_only=True, frozen=True, tag="embedding"):
    """The image's unit vector, if the run was asked for it; the blob is ``dim`` numbers of ``dtype``, little-endian."""

    frame: FrameInfo
    dim: Integer
    dtype: Literal["float16", "float32"]


class Event(Header, kw_only=True, frozen=True, tag="event"):
    """Something that happened, see the table of events; ``detail`` holds plain values only."""

    event: str
    detail: dict[str, Any] = {}


class Health(Header, kw_only=True, frozen=True, tag="health"):
    """The condition of a stream, once a second, also when no frame comes.

    Attributes:
        state: of the signal, or of the capture if frames are missing.
        fps_in: frames captured a second.
        fps_out: readings a second.
        counts: what became of all frames so far.
        reconnects: how often the source was opened again.
        last_frame_age_ms: time since the newest frame; None before the first.
        latency_ms: from capture to the end of the analysis.
        device: which the model runs on.
        memory_mb: of the engine's process.
        hops_ms: how that latency is shared between the hops; see `Latency`.
        paused: whether the engine is paused.
    """

    state: HealthState
    fps_in: Number
    fps_out: Number
    counts: Counts
    reconnects: Integer
    last_frame_age_ms: Number | None
    latency_ms: Percentiles
    device: str
    memory_mb: Number
    hops_ms: dict[str, Percentiles] = {}
    paused: bool = False


class Goodbye(Header, kw_only=True, frozen=True, tag="goodbye"):
    """The clean end of a run, with its reason."""

    reason: str


Message: TypeAlias = Reading | Keyframe | Preview | Embedding | Event | Health | Goodbye
