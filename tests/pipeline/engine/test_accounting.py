"""Every frame is accounted for, whatever comes in whatever order: the engine stepped by hand, without threads."""

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.engine import IN_FLIGHT, Engine, EngineFault
from fetalstream.pipeline.engine.stream_runner import Stream
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.streamer.flow import FrameCounts
from fetalstream.streamer.status import SourceStatus
from tests.pipeline.doubles import FACTS, NOT_FINITE, ListSink, bank, black, frame, picture, scores

SECOND_NS = 10**9
KINDS = st.sampled_from(["brain", "nothing", "same", "black", "not finite"])


class HandLane:
    """A lane that the test fills: live, the newest frame stays; from a file, all do."""

    error = arrived_ns = None
    status = SourceStatus()
    finished = False

    def __init__(self, *, live):
        self.live = live
        self.frames = deque()
        self.captured = self.dropped = 0

    def put(self, new):
        self.captured += 1
        if self.live and self.frames:
            self.frames.clear()
            self.dropped += 1
        self.frames.append(new)

    def take(self):
        return self.frames.popleft() if self.frames else None

    def tally(self):
        return FrameCounts(self.captured, self.dropped, len(self.frames), None)


class HandPending:
    queue_ms = preprocess_ms = encode_ms = 1.0

    def __init__(self, items):
        self.items, self.ready = items, False

    def wait(self, timeout_s):
        return self.ready

    def result(self):
        assert self.ready
        return [scores(item.pixels) for item in self.items]


class HandEncoder:
    """Finishes a batch when the test says so."""

    batch = 4

    def __init__(self, live_batches):
        self.live_batches = live_batches
        self.on_the_way = deque()

    def submit(self, items):
        assert 1 <= len(items) <= self.batch
        self.on_the_way.append(HandPending(items))
        assert len(self.on_the_way) <= IN_FLIGHT
        return self.on_the_way[-1]


class Accounting(RuleBasedStateMachine):
    @initialize(lives=st.lists(st.booleans(), min_size=1, max_size=3), live_batches=st.sampled_from([1, 2]))
    def start(self, lives, live_batches):
        self.now_ns = 0
        self.readers = [HandLane(live=live) for live in lives]
        self.encoder, self.sink = HandEncoder(live_batches), ListSink()
        streams = [
            Stream(StreamAnalyzer(f"stream-{n}", "exam-0", FACTS, bank), reader, "file")
            for n, reader in enumerate(self.readers)
        ]
        self.engine = Engine(self.encoder, streams, self.sink, self.clock_ns)
        self.last = {}
        self.broken = False

    def clock_ns(self):
        self.now_ns += 2 * SECOND_NS  # always past the next beat, so that nothing waits
        return self.now_ns

    @precondition(lambda self: not self.broken)
    @rule(number=st.integers(0, 2), kinds=st.lists(KINDS, min_size=1, max_size=6))
    def frames_come(self, number, kinds):
        reader = self.readers[number % len(self.readers)]
        for kind in kinds:
            index = reader.captured
            made = {
                "black": black(),
                "brain": picture(index, 1),
                "nothing": picture(index),
                "not finite": picture(index, NOT_FINITE),
            }
            pixels = self.last.get(reader, made["brain"]) if kind == "same" else made[kind]
            self.last[reader] = pixels
            reader.put(frame(index, pixels, captured_ns=self.now_ns))

    @precondition(lambda self: not self.broken)
    @rule(finish=st.booleans())
    def the_engine_turns(self, finish):
        if finish and self.encoder.on_the_way:
            self.encoder.on_the_way.popleft().ready = True
        try:
            self.engine._turn()
        except EngineFault:
            self.broken = True  # ten in a row: the process would end here

    @precondition(lambda self: not self.broken)
    @rule(command=st.sampled_from([wire.Pause(), wire.Resume(), wire.NewExam(), wire.GetState()]))
    def somebody_asks(self, command):
        for reader in self.readers:
            reader.resume = lambda: None
        self.engine.submit(command)

    @precondition(lambda self: not self.broken)
    @rule(number=st.integers(0, 2), side=st.sampled_from([20, 64, 65]))
    def the_sector_is_set(self, number, side):
        name = f"stream-{number % len(self.readers)}"
        self.engine.submit(wire.SetSector(stream=name, sector=[0, 0, side, side]))

    @invariant()
    def every_frame_is_counted_once(self):
        for runner, reader in zip(getattr(self, "engine", Nobody)._runners, getattr(self, "readers", ()), strict=True):
            tally = reader.tally()
            counts = runner.analyzer.counts(tally.captured, tally.dropped, tally.waiting)
            through = counts.analysed + counts.reused + counts.failed
            if not self.broken:
                assert counts.captured == through + counts.dropped + counts.in_flight
            assert reader.live or counts.dropped == 0

    @invariant()
    def readings_come_in_order(self):
        for name in {m.stream for m in getattr(self, "sink", ListSink()).of(wire.Reading)}:
            read = [m.frame.index for m in self.sink.of(wire.Reading, name)]
            assert read == sorted(set(read))

    def teardown(self):
        if not hasattr(self, "engine") or self.broken:
            return
        self.engine.submit(wire.Resume())
        for reader in self.readers:
            reader.resume = lambda: None
        for _ in range(200):
            for pending in self.encoder.on_the_way:
                pending.ready = True
            self.encoder.on_the_way.clear()
            try:
                self.engine._turn()
            except EngineFault:
                return
        for runner, reader in zip(self.engine._runners, self.readers, strict=True):
            assert runner.analyzer.idle
            assert runner.analyzer.finished == reader.captured - reader.dropped


class Nobody:
    _runners = ()


Accounting.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestAccounting = Accounting.TestCase
