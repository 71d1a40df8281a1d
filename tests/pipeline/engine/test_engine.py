import threading
import time
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.command_queue import COMMANDS_A_TURN
from fetalstream.pipeline.engine.engine import BAD_IN_A_ROW, Engine, EngineFault
from fetalstream.pipeline.engine.stream_runner import make_stream
from fetalstream.streamer.errors import SourceError
from tests.pipeline.doubles import FACTS, NOT_FINITE, EncoderDouble, ListSink, ListSource, bank, black, frame, picture
from tests.pipeline.engine.test_frame_readers import until

BRAIN = 1


def stream(source, name="stream-1", *, every_frame=True, **options):
    return make_stream(source, name, "exam-1", FACTS, bank, every_frame=every_frame, **options)


def brains(count, **changed):
    return [frame(i, picture(i, BRAIN), **changed) for i in range(count)]


def offline(*sources, encoder=None, **options):
    """Runs sources to their end and gives back what came out."""
    sink = ListSink()
    streams = [stream(source, f"stream-{n}") for n, source in enumerate(sources, 1)]
    Engine(encoder or EncoderDouble(), streams, sink, **options).run()
    return sink


@contextmanager
def running(engine):
    """The engine in a thread of its own, stopped at the end."""
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield thread
    finally:
        engine.stop("test is over")
        thread.join(60)
        assert not thread.is_alive()


def last_counts(sink, name="stream-1"):
    return sink.of(wire.Health, name)[-1].counts


def test_every_frame_of_a_file_is_read_in_order():
    encoder = EncoderDouble()
    sink = offline(ListSource(brains(100)), encoder=encoder)
    assert [m.frame.index for m in sink.of(wire.Reading)] == list(range(100))
    assert last_counts(sink) == wire.Counts(captured=100, analysed=100)
    assert max(encoder.batches) <= encoder.batch
    assert isinstance(sink.messages[-1], wire.Goodbye)
    assert sink.events("source_ended")


def test_streams_are_batched_together_and_kept_apart():
    encoder = EncoderDouble()
    sink = offline(ListSource(brains(30)), ListSource(brains(60)), encoder=encoder)
    for name, count in (("stream-1", 30), ("stream-2", 60)):
        assert [m.frame.index for m in sink.of(wire.Reading, name)] == list(range(count))
    assert len(encoder.batches) < 90
    assert len(sink.of(wire.Goodbye)) == 2


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["new", "same", "black", "not finite"]), max_size=60), min_size=1, max_size=3),
    st.integers(1, 9),
)
def test_for_files_captured_is_analysed_plus_reused_plus_failed(kinds_of_sources, batch):
    sources = []
    for kinds in kinds_of_sources:
        frames, bad = [], 0
        for i, kind in enumerate(kinds):
            bad = bad + 1 if kind == "not finite" else 0
            if kind == "not finite" and bad % 3 == 0:  # never so many in a row, over all streams, that the engine ends
                kind = "new"
            made = {"black": black(), "not finite": picture(i, NOT_FINITE)}.get(kind, picture(i, BRAIN))
            frames.append(frame(i, frames[-1].pixels if kind == "same" and frames else made))
        sources.append(ListSource(frames))
    try:
        sink = offline(*sources, batch=batch)
    except EngineFault:  # the streams' bad frames fell together
        return
    for number, source in enumerate(sources, 1):
        counts = last_counts(sink, f"stream-{number}")
        assert counts.captured == len(source.frames) == counts.analysed + counts.reused + counts.failed
        assert (counts.dropped, counts.in_flight) == (0, 0)
        read = [m.frame.index for m in sink.of(wire.Reading, f"stream-{number}")]
        failed = [m.detail["index"] for m in sink.events("frame_failed") if m.stream == f"stream-{number}"]
        assert sorted(read + failed) == list(range(len(source.frames)))
        assert read == sorted(read)
    for message in sink.messages:
        wire.encode(message)


def test_a_slow_model_gets_the_newest_frame_of_a_live_stream_and_drops_are_counted():
    encoder = EncoderDouble(gate=threading.Event())
    live = stream(ListSource(brains(40, fps=200.0)), every_frame=False)
    sink = ListSink()
    engine = Engine(encoder, [live], sink)
    with running(engine) as thread:
        until(lambda: live.reader.tally().captured == 40)
        encoder.gate.set()
        thread.join(60)
    read = [m.frame.index for m in sink.of(wire.Reading)]
    assert read == sorted(read)
    assert read[-1] == 39
    counts = last_counts(sink)
    assert counts.captured == 40 == counts.analysed + counts.dropped
    assert counts.dropped >= 30
    assert sink.of(wire.Reading)[-1].dropped == counts.dropped


def test_a_stop_is_clean_and_still_adds_up():
    source = ListSource(brains(2_000))
    sink = ListSink()
    engine = Engine(EncoderDouble(), [stream(source)], sink)
    with running(engine):
        until(lambda: len(sink.messages) > 50)
    assert source.closed
    assert isinstance(sink.messages[-1], wire.Goodbye)
    assert sink.messages[-1].reason == "test is over"
    counts = last_counts(sink)
    assert counts.captured == counts.analysed + counts.dropped
    assert (counts.in_flight, counts.failed) == (0, 0)


def test_ten_bad_outputs_in_a_row_are_a_fault():
    bad = [frame(i, picture(i, NOT_FINITE)) for i in range(BAD_IN_A_ROW)]
    sink = ListSink()
    with pytest.raises(EngineFault, match="start it again"):
        Engine(EncoderDouble(), [stream(ListSource([*brains(5), *bad]))], sink).run()
    assert len(sink.events("frame_failed")) == BAD_IN_A_ROW
    assert not sink.of(wire.Goodbye)


def test_nine_bad_outputs_in_a_row_are_not():
    frames = [frame(i, picture(i, BRAIN if i % BAD_IN_A_ROW == 0 else NOT_FINITE)) for i in range(50)]
    sink = offline(ListSource(frames))
    assert last_counts(sink) == wire.Counts(captured=50, analysed=5, failed=45)


def test_a_broken_source_is_told_and_the_others_go_on():
    broken = ListSource(brains(3), trouble=SourceError("torn off; read it again"))
    sink = offline(broken, ListSource(brains(40)))
    assert len(sink.of(wire.Reading, "stream-1")) == 3
    assert len(sink.of(wire.Reading, "stream-2")) == 40
    lost = sink.events("source_lost")
    assert [(m.stream, m.detail["reason"]) for m in lost] == [("stream-1", "torn off; read it again")]
    assert sink.of(wire.Health, "stream-1")[-1].state == "failed"


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (SourceError("has gone", "/scans/Jane Doe.mp4"), "has gone"),
        (FileNotFoundError(2, "No such file", "/scans/Jane Doe.mp4"), "FileNotFoundError"),
    ],
)
def test_a_sources_name_is_never_published(trouble, told):
    sink = offline(ListSource(brains(3), trouble=trouble), ListSource(brains(3)))
    assert [m.detail["reason"] for m in sink.events("source_lost")] == [told]
    assert not any(b"Jane" in wire.encode(message) for message in sink.messages)


def test_when_no_source_is_left_its_trouble_is_raised_after_the_goodbye():
    sink = ListSink()
    broken = ListSource(brains(3), trouble=SourceError("torn off; read it again"))
    with pytest.raises(SourceError, match="torn off"):
        Engine(EncoderDouble(), [stream(broken)], sink).run()
    assert len(sink.of(wire.Reading)) == 3
    assert sink.of(wire.Goodbye)


def test_what_a_source_warned_of_is_told_at_its_end():
    source = ListSource(brains(3))
    source.warnings.append("the file ends early: 3 of 9 frames")
    assert [m.detail["text"] for m in offline(source).events("source_warning")] == source.warnings


def test_a_waiting_keyframe_comes_out_at_the_end():
    sink = offline(ListSource(brains(10)))
    shown = sink.of(wire.Keyframe)
    assert shown
    assert {m.plane for m in shown} == {"brain"}


def test_a_keyframe_can_be_fetched_the_moment_it_is_sent():
    class Fetching(ListSink):
        def send(self, message, blob=None):
            super().send(message)
            if isinstance(message, wire.Keyframe):
                fetched.append(engine.picture_of(message.keyframe))

    fetched = []
    sink = Fetching()
    engine = Engine(EncoderDouble(), [stream(ListSource(brains(10)))], sink)
    engine.run()
    assert [stored.keyframe for stored in fetched] == [m.keyframe for m in sink.of(wire.Keyframe)]


def test_previews_are_offered_masked():
    from fetalstream.streamer.region.sector import Rectangle

    sink = ListSink()
    Engine(EncoderDouble(), [stream(ListSource(brains(3)), sector=Rectangle(0, 0, 20, 10))], sink).run()
    assert [(index, pixels.shape) for _, index, pixels in sink.previews] == [(i, (10, 20)) for i in range(3)]


def test_health_comes_every_second_also_without_frames():
    now = [0]

    def clock_ns():
        now[0] += 100_000_000  # every look at the clock is 0.1 s later
        return now[0]

    class Silent(ListSource):
        def __iter__(self):
            yield frame(0, captured_ns=0)
            over.wait(10)

    over = threading.Event()
    sink = ListSink()
    engine = Engine(EncoderDouble(), [stream(Silent([]), every_frame=False, clock_ns=clock_ns)], sink, clock_ns)
    with running(engine):
        until(lambda: engine.submit(wire.GetState()) and len(sink.of(wire.Health)) >= 6)
        over.set()
    states = [m.state for m in sink.of(wire.Health)]
    assert "lost" in states
    assert states[-1] == "live"  # the source ended properly after all
    assert "stale" in states


def paused_engine():
    sink = ListSink()
    live = stream(ListSource(brains(2_000, fps=500.0)), every_frame=False)
    return Engine(EncoderDouble(), [live], sink), live, sink


def test_commands_are_carried_out_between_batches():
    engine, _, sink = paused_engine()
    with running(engine):
        until(lambda: len(sink.of(wire.Reading)) > 3)
        assert engine.submit(wire.Mark(text="here")).result(5) == wire.results.Nothing()
        exam = engine.submit(wire.NewExam()).result(5).exam
        until(lambda: any(m.exam == exam for m in sink.of(wire.Reading)))
        state = engine.submit(wire.GetState()).result(5)
    assert sink.events("mark")[0].detail["text"] == "here"
    assert state.exam == exam
    (told,) = state.streams
    assert (told.stream, told.width, told.height, told.kind) == ("stream-1", 64, 64, "file")
    counts = asdict(told.counts)
    assert counts.pop("captured") == sum(counts.values())


def test_a_pause_keeps_capturing_and_answers_commands():
    engine, live, sink = paused_engine()
    with running(engine):
        until(lambda: len(sink.of(wire.Reading)) > 3)
        assert engine.submit(wire.Pause()).result(5).paused
        read, captured = len(sink.of(wire.Reading)), live.reader.tally().captured
        until(lambda: live.reader.tally().captured > captured + 20)
        assert engine.submit(wire.GetState()).result(5).paused
        assert len(sink.of(wire.Reading)) == read
        assert not engine.submit(wire.Resume()).result(5).paused
        until(lambda: len(sink.of(wire.Reading)) > read)
        assert sink.of(wire.Reading)[-1].dropped >= 15


def test_a_paused_file_loses_nothing():
    sink = ListSink()
    engine = Engine(EncoderDouble(), [stream(ListSource(brains(200)))], sink)
    waiting = engine.submit(wire.Pause())
    thread = threading.Thread(target=engine.run)
    thread.start()
    waiting.result(5)
    time.sleep(0.05)  # time in which frames would be lost, were they
    assert not sink.of(wire.Reading)
    engine.submit(wire.Resume()).result(5)
    thread.join(60)
    assert last_counts(sink) == wire.Counts(captured=200, analysed=200)


class Backlog(EncoderDouble):
    """Never done before another frame waits: the device is slower than the source."""

    def submit(self, items):
        reader = self.stream.reader
        until(lambda: reader.tally().waiting or reader.finished)
        if len(self.batches) == 1:
            self.reply = self.engine.submit(wire.Mark(text="here"))
        return super().submit(items)


def test_a_command_is_carried_out_though_a_frame_always_waits():
    sink, encoder = ListSink(), Backlog()
    encoder.stream = stream(ListSource(brains(100)))
    encoder.engine = Engine(encoder, [encoder.stream], sink)
    encoder.engine.run()
    assert encoder.reply.result(0) == wire.results.Nothing()
    (mark,) = sink.events("mark")
    assert (
        mark.detail["index"] == sum(encoder.batches[:2]) - 1
    )  # the batch that was on the way came first, and no other


def test_a_flood_of_commands_keeps_no_frame_waiting():
    sink = ListSink()
    engine = Engine(EncoderDouble(), [stream(ListSource(brains(50)))], sink)
    carried_out = []

    def again(done):
        """As soon as one is carried out another waits: they never come to an end by themselves."""
        if done.exception() is None:
            carried_out.append(done.result())
            engine.submit(wire.GetState()).add_done_callback(again)

    engine.submit(wire.GetState()).add_done_callback(again)
    engine.run()
    assert last_counts(sink) == wire.Counts(captured=50, analysed=50)
    assert len(carried_out) > COMMANDS_A_TURN


def test_commands_that_wait_are_carried_out_though_no_frame_comes():
    engine, _, _ = paused_engine()
    waiting = [engine.submit(wire.Pause()) for _ in range(3 * COMMANDS_A_TURN)]
    with running(engine):
        assert all(reply.result(5).paused for reply in waiting)


def test_stop_by_command():
    engine, _, sink = paused_engine()
    thread = threading.Thread(target=engine.run)
    thread.start()
    engine.submit(wire.Stop()).result(5)
    thread.join(60)
    assert not thread.is_alive()
    assert sink.of(wire.Goodbye)


def test_clips_go_to_the_sink_and_the_last_ones_before_the_goodbye():
    sink = ListSink()
    Engine(EncoderDouble(), [stream(ListSource(brains(100)), clip_bytes=2**24)], sink).run()
    *_, best = [told for told in sink.of(wire.Keyframe) if told.rank == 0]
    (clip,) = sink.clips
    assert (clip.best.keyframe, clip.exam) == (best.keyframe, "exam-1")
    assert 40 < len(clip.stills) < 100
    sink = ListSink()
    Engine(EncoderDouble(), [stream(ListSource(brains(20)), clip_bytes=2**24)], sink).run()
    assert [len(clip.stills) for clip in sink.clips] == [20]


def test_where_nobody_wants_clips_no_frames_are_held():
    sink = ListSink()
    Engine(EncoderDouble(), [stream(ListSource(brains(100)))], sink).run()
    assert sink.clips == []
