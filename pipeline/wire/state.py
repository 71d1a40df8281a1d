"""The reply to the ``state`` command: all that a late joiner needs to know of an engine."""

from __future__ import annotations

from typing import Annotated

import msgspec

from fetalstream.pipeline.wire.messages import NOTICE, SCHEMA, Counts, Integer, Number, Reading, State


class StreamState(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of an engine.

    Attributes:
        stream: its name.
        kind: of its source, for example "file" or "camera".
        exam: id of its examination.
        exam_began_ns: when that began, or its first frame came, on the engine's monotonic clock; None before the first.
        width: of the source's uncut frames, pixels; None before the first.
        height: likewise.
        sector: outline of the scan region, corners ``[x, y]`` in pixels of the uncut frame; None if the whole frame is
            used, or the region is not known.
        sector_from: who said so; None if a person gave it when the run was started, or nobody did.
        sector_confidence: 0 to 1; None likewise.
        spacing_mm: of the newest reading, mm per pixel; None if unknown.
        spacing_from: who said so.
        state: of the signal.
        counts: what became of all frames so far.
        reading: the newest one, as published; None before the first.
        source_sha256: identity of the source, without its name; None if it has none.
    """

    stream: str
    kind: str | None = None
    exam: str | None = None
    exam_began_ns: Integer | None = None
    width: Integer | None = None
    height: Integer | None = None
    sector: list[tuple[Number, Number]] | None = None
    sector_from: str | None = None
    sector_confidence: Number | None = None
    spacing_mm: Number | None = None
    spacing_from: str | None = None
    state: State = "no_signal"
    counts: Counts | None = None
    reading: Reading | None = None
    source_sha256: str | None = None


class ModelState(msgspec.Struct, frozen=True, kw_only=True):
    """The model that an engine runs.

    Attributes:
        name: of its model file.
        weights_sha256: hash of its weights.
        weights_from: where they came from.
        prompts_sha256: hash of its prompts.
        calibrated: whether its probabilities were calibrated; None if that is not known.
        calibrated_on: which data they were calibrated on.
        device: which it runs on.
        precision: of its numbers, for example "float32".
    """

    name: str | None = None
    weights_sha256: str | None = None
    weights_from: str | None = None
    prompts_sha256: str | None = None
    calibrated: bool | None = None
    calibrated_on: str | None = None
    device: str | None = None
    precision: str | None = None


class Endpoints(msgspec.Struct, frozen=True):
    """The ZeroMQ endpoints of one engine."""

    pub: str
    preview: str
    control: str


class EngineState(msgspec.Struct, frozen=True, kw_only=True):
    """An engine and its streams, or a recording of one.

    Attributes:
        schema: version of the messages' format.
        notice: the purpose that the software is limited to.
        run: id of this start of the engine.
        exam: id of the first stream's examination.
        paused: whether the engine is paused.
        streams: all of them.
        model: which runs.
        versions: of what the results depend on, by name.
        endpoints: of the engine; None for a recording.
        topics: ``seq`` of the newest message of each topic.
        supervised: whether a foreground process looks after the engine; None if nobody knows.
        replay: whether this is a recording.
        amiss: what is wrong with the recording, one line; None if nothing is.
    """

    schema: Integer = SCHEMA
    notice: str = NOTICE
    run: str = ""
    exam: str = ""
    paused: bool = False
    streams: Annotated[list[StreamState], msgspec.Meta(max_length=256)] = []
    model: ModelState = ModelState()
    versions: dict[str, str] = {}
    endpoints: Endpoints | None = None
    topics: Annotated[dict[str, Integer], msgspec.Meta(max_length=4096)] = {}
    supervised: bool | None = None
    replay: bool = False
    amiss: str | None = None
