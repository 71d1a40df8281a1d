"""The state of a running engine, folded from its messages. Pure, so that live, replay and headless share it.

Time comes in as ``now_ns`` (the reader's monotonic clock). Nothing here draws, waits or fetches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fetalstream.pipeline.wire import (
    NOTICE,
    EngineState,
    Event,
    Gestation,
    Goodbye,
    Health,
    Keyframe,
    Message,
    ModelState,
    Preview,
    Reading,
    StreamState,
)
from fetalstream.tui.state import keyframe_review
from fetalstream.tui.state.exam_history import Span, Try, Zoom, extended, tried, zoomed
from fetalstream.tui.state.keyframe_review import DECISION, BestFrame, KeyframeReview

PLANES = ("abdomen", "brain", "femur", "heart", "kidney", "lips_nose", "profile_patient", "spine", "cervix")
SUBPLANES = ("trans-thalamic", "trans-cerebellum", "trans-ventricular")

SOURCE_ENDED = "source_ended"
SOURCE_BACK = "source_back"
CLIP = "clip"  # for recorders, one a best frame: nothing that happened in the examination

MAX_STREAMS = 64
MAX_EVENTS = 100
MAX_TREND = 600
TREND_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Gestational age at one time; ``seconds`` since the exam's first reading, ages in days.

    ``frame_days`` is the age that the frame of that moment alone gave.
    """

    seconds: float
    days: float
    low_days: float
    high_days: float
    frame_days: float | None = None


@dataclass(frozen=True, slots=True)
class StreamView:
    """Everything that is shown of one stream.

    ``reading_ns`` and ``preview_ns`` are when the frame behind them was captured, on the reader's clock and as if
    nothing had waited on the way from the publisher. ``offset_ns`` is the smallest difference seen between the
    reader's clock and the publisher's: what a message comes later than that is ``lag_ns``, the time it lay in some
    queue (a slow reader's old data must not look live). ``past`` holds the runs and exams that are over.
    """

    stream: str
    facts: StreamState | None = None
    run: str = ""
    exam: str = ""
    past: frozenset[tuple[str, str]] = frozenset()
    newest_published_ns: int = 0
    offset_ns: int | None = None
    lag_ns: int = 0
    exam_started_ns: int | None = None
    reading: Reading | None = None
    reading_ns: int | None = None
    signal_ns: int | None = None
    preview: bytes | None = None
    preview_ns: int | None = None
    health: Health | None = None
    health_ns: int | None = None
    gestation: Gestation | None = None
    gestation_ns: int | None = None
    review: KeyframeReview = field(default_factory=KeyframeReview)
    tries: Mapping[str, Try] = field(default_factory=dict[str, Try])
    zooms: Mapping[int, Zoom] = field(default_factory=dict[int, Zoom])
    timeline: tuple[Span, ...] = ()
    trend: tuple[TrendPoint, ...] = ()
    events: tuple[Event, ...] = ()
    ended: str | None = None

    def reading_age_s(self, now_ns: int) -> float | None:
        """Seconds since the frame of the newest reading was captured, the time it lay in queues included."""
        return None if self.reading_ns is None else max(0, now_ns - self.reading_ns + self.lag_ns) / 1e9

    def preview_age_s(self, now_ns: int) -> float | None:
        """Seconds since the frame of the newest picture was captured, the time it lay in queues included."""
        return None if self.preview_ns is None else max(0, now_ns - self.preview_ns + self.lag_ns) / 1e9

    def since_published_s(self, published_ns: int, now_ns: int) -> float:
        """Seconds since a time of the publisher's clock, on the reader's."""
        return max(0, now_ns - published_ns - (self.offset_ns or 0)) / 1e9

    @property
    def best(self) -> Mapping[str, BestFrame]:
        """The best frame of each plane so far in this exam."""
        return self.review.best

    @property
    def snapshots(self) -> int:
        """Frames that the operator took."""
        return self.review.snapshots

    @property
    def labels(self) -> tuple[str, ...]:
        """The planes to list, without "other": the model's own once a reading has come."""
        if self.reading is not None and self.reading.planes:
            return tuple(label for label in self.reading.planes if label != "other")
        return PLANES


@dataclass(frozen=True, slots=True)
class Session:
    """All streams of one engine, in the order of their first messages."""

    streams: Mapping[str, StreamView] = field(default_factory=dict[str, StreamView])
    run: str = ""
    model: ModelState = field(default_factory=ModelState)
    replay: bool = False
    notice: str = NOTICE

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.streams)

    @property
    def calibrated(self) -> bool | None:
        """True if the probabilities were calibrated; None as long as that is unknown."""
        said = [view.reading.calibrated for view in self.streams.values() if view.reading is not None]
        return all(said) if said else self.model.calibrated


def opened(session: Session, state: EngineState) -> Session:
    """Return the session after the engine's ``state`` reply."""
    streams = dict(session.streams)
    for stream in state.streams[:MAX_STREAMS]:
        streams[stream.stream] = replace(streams.get(stream.stream, StreamView(stream.stream)), facts=stream)
    return replace(session, streams=streams, run=state.run or session.run, model=state.model, replay=state.replay)


# One message costs 0.03 ms with everything full (100 events sorted, views copied up to four times): 1% of the time
# between two readings at 300 a second. Simpler than an index, and fast enough.
def reduce(session: Session, message: Message, now_ns: int, blob: bytes | None = None) -> Session:
    """Return the session after one more message; a message that comes late never replaces a newer one."""
    if isinstance(message, Goodbye):
        return _ended(session, message)
    if message.stream not in session.streams and len(session.streams) >= MAX_STREAMS:
        return session
    view = _placed(session.streams.get(message.stream, StreamView(message.stream)), message)
    if view is None:
        return session
    view = _timed(view, message, now_ns)
    if session.replay:
        # A recording is played at any speed: how late its messages come says nothing.
        view = replace(view, lag_ns=0)
    view = _folded(view, message, now_ns, blob)
    return replace(session, streams={**session.streams, message.stream: view}, run=message.run or session.run)


def _ended(session: Session, message: Goodbye) -> Session:
    # A goodbye that names no stream is the whole engine's.
    streams = {
        name: replace(view, ended=message.reason) if message.stream in ("", name) and message.run == view.run else view
        for name, view in session.streams.items()
    }
    return replace(session, streams=streams)


def _placed(view: StreamView, message: Message) -> StreamView | None:
    """Return the view of the message's run and exam, emptied if the message begins one; None if they are over."""
    arriving, current = (message.run, message.exam), (view.run, view.exam)
    if arriving == current:
        return view
    late = message.run == view.run and message.published_ns < view.newest_published_ns
    if arriving in view.past or late:
        return None
    past = view.past | {current} if any(current) else view.past
    fresh = StreamView(view.stream, view.facts, *arriving, past=past, events=view.events)
    if message.run != view.run:
        return fresh
    # The same engine goes on with another patient: clocks, picture and health stay, all that was measured goes.
    return replace(
        fresh,
        newest_published_ns=view.newest_published_ns,
        offset_ns=view.offset_ns,
        preview=view.preview,
        preview_ns=view.preview_ns,
        health=view.health,
        health_ns=view.health_ns,
        signal_ns=view.signal_ns,
        ended=view.ended,
    )


def _timed(view: StreamView, message: Message, now_ns: int) -> StreamView:
    apart = now_ns - message.published_ns
    offset = apart if view.offset_ns is None else min(view.offset_ns, apart)
    newest = max(view.newest_published_ns, message.published_ns)
    lag = apart - offset if message.published_ns == newest else view.lag_ns
    return replace(view, offset_ns=offset, newest_published_ns=newest, lag_ns=lag)


def _folded(view: StreamView, message: Message, now_ns: int, blob: bytes | None) -> StreamView:
    if isinstance(message, Reading):
        return _read(view, message, now_ns)
    if isinstance(message, Keyframe):
        return replace(view, review=keyframe_review.with_keyframe(view.review, message))
    if isinstance(message, Preview):
        return replace(view, preview=blob, preview_ns=now_ns - _waited_ns(message)) if blob else view
    if isinstance(message, Health):
        return replace(view, health=message, health_ns=now_ns)
    if isinstance(message, Event):
        if message.event == CLIP:
            return view
        if message.event == DECISION:
            view = replace(view, review=keyframe_review.with_decision(view.review, message))
        if message in view.events:
            return view
        events = sorted((*view.events, message), key=lambda e: e.published_ns if e.run == message.run else -1)
        ended = {SOURCE_ENDED: "its source has ended", SOURCE_BACK: None}.get(message.event, view.ended)
        return replace(view, events=tuple(events[-MAX_EVENTS:]), ended=ended)
    return view


def _read(view: StreamView, reading: Reading, now_ns: int) -> StreamView:
    if view.reading is not None and reading.seq <= view.reading.seq:
        return view
    started = _began_ns(view, reading) if view.exam_started_ns is None else view.exam_started_ns
    signal = now_ns if reading.state in ("live", "frozen") or view.signal_ns is None else view.signal_ns
    captured_ns = now_ns - _waited_ns(reading)
    seconds = (reading.published_ns - started) / 1e9
    view = replace(
        view,
        reading=reading,
        reading_ns=captured_ns,
        exam_started_ns=started,
        signal_ns=signal,
        timeline=extended(view.timeline, reading.plane, seconds),
        tries=tried(view.tries, reading),
    )
    age = reading.gestation
    if age is None:
        return view
    if view.gestation is None or age.frames > view.gestation.frames:
        view = replace(view, zooms=zoomed(view.zooms, reading))
    point = TrendPoint(seconds, age.days, age.low_days, age.high_days, age.frame_days)
    return replace(view, gestation=age, gestation_ns=now_ns, trend=_longer(view.trend, point))


def _began_ns(view: StreamView, first: Reading) -> int:
    """Return when the examination began: from the state reply after joining late, else from its first reading."""
    facts = view.facts
    if facts is None or facts.exam != first.exam or facts.exam_began_ns is None:
        return first.published_ns
    return min(facts.exam_began_ns, first.published_ns)


def _waited_ns(message: Reading | Preview) -> int:
    """Return the time from capture to publication, both on the publisher's clock."""
    return max(0, message.published_ns - message.frame.captured_ns)


def _longer(trend: tuple[TrendPoint, ...], point: TrendPoint) -> tuple[TrendPoint, ...]:
    if trend and point.seconds - trend[-1].seconds < TREND_EVERY_S:
        return trend
    if len(trend) >= MAX_TREND:
        # The whole exam stays in view in bounded memory: its older half thins out.
        half = MAX_TREND // 2
        trend = trend[:half:2] + trend[half:]
    return (*trend, point)
