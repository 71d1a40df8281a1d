import msgspec
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.frame_readers import LatestReader, QueuedReader
from fetalstream.pipeline.engine.stream_runner import StreamRunner, make_stream
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import FACTS, ListSource, bank, frame, picture, scores
from tests.waiting import until

SECOND = 10**9
BRAIN = 1


def runner(source, *, every_frame=True, **options):
    return StreamRunner(
        make_stream(source, "stream-1", "exam-1", FACTS, bank, every_frame=every_frame, **options), "cpu", 0
    )


def run(one, now_ns=SECOND):
    """All frames of its source, one after another; returns what was sent."""
    one.reader.start(lambda: None)
    until(lambda: one.reader.finished or one.reader.tally().waiting)
    messages = []
    while not one.reader.finished:
        if (taken := one.reader.take()) is not None:
            prepared = one.prepare(taken, now_ns)
            messages += one.analyzer.finish(prepared, scores(prepared.frame.pixels), now_ns)
    one.reader.close()
    return messages


def brains(count):
    return [frame(index, picture(index, BRAIN), captured_ns=index) for index in range(count)]


def test_offline_every_frame_is_read_and_live_the_newest_wins():
    assert isinstance(runner(ListSource([])).reader, QueuedReader)
    assert isinstance(runner(ListSource([]), every_frame=False).reader, LatestReader)


def test_a_phantom_has_nothing_round_it_to_be_found():
    source = ListSource([])
    assert runner(source, sector="auto").analyzer.sector == "auto"
    source.kind = "phantom"
    assert runner(source, sector="auto").analyzer.sector is None


def test_the_state_before_the_first_frame_knows_the_source_and_no_size():
    state = runner(ListSource(brains(1)), sector=Rectangle(0, 0, 30, 40)).state()
    assert (state.stream, state.kind, state.exam, state.source_sha256) == ("stream-1", "file", "exam-1", "0" * 64)
    assert (state.width, state.reading, state.exam_began_ns, state.spacing_mm) == (None, None, None, None)
    assert state.sector == [(0, 0), (30, 0), (30, 40), (0, 40)]
    assert state.counts == wire.Counts()


def test_the_state_after_some_frames_has_their_size_and_newest_reading():
    one = runner(ListSource(brains(5)), sector=Rectangle(0, 0, 30, 40))
    messages = run(one)
    state = one.state()
    assert (state.width, state.height) == (64, 64)  # of the frames as they came, not of the sector
    assert state.reading == [each for each in messages if isinstance(each, wire.Reading)][-1]
    assert (state.spacing_mm, state.spacing_from) == (4.0, "source")
    assert state.counts == wire.Counts(captured=5, analysed=5)
    assert msgspec.convert(msgspec.to_builtins(state), wire.StreamState) == state


def test_the_end_is_reported_once_and_only_when_all_is_finished():
    one = runner(ListSource(brains(1)))
    one.reader.start(lambda: None)
    until(lambda: one.reader.tally().waiting)
    prepared = one.prepare(one.reader.take(), SECOND)
    until(lambda: one.reader.finished)
    assert one.end(SECOND) == []
    one.analyzer.finish(prepared, None, SECOND)
    assert [each.event for each in one.end(SECOND)] == ["source_ended"]
    assert one.ended
    assert one.end(SECOND) == []
    one.reader.close()


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (SourceError("the file is cut short", "Doe_Jane.mp4"), "the file is cut short"),
        (KeyError("Doe_Jane"), "KeyError"),
    ],
)
def test_what_ended_a_source_early_is_told_without_its_name(trouble, reason):
    one = runner(ListSource([], trouble))
    run(one)
    last = one.end(SECOND)[-1]
    assert last.event == "source_lost"
    assert last.detail == {"reason": reason}


def test_warnings_of_the_source_are_events():
    source = ListSource(brains(1))
    one = runner(source)
    assert one.watch(SECOND, paused=False) == []
    source.warnings.append("the clock jumped")
    (event,) = one.watch(SECOND, paused=False)
    assert (event.event, event.detail) == ("source_warning", {"text": "the clock jumped"})
    assert one.watch(SECOND, paused=False) == []


def test_health_goes_out_at_once_when_frames_cease():
    one = runner(ListSource([]), every_frame=False)
    assert one.watch(SECOND // 10, paused=False) == []
    (health,) = one.watch(SECOND, paused=True)
    assert (health.state, health.paused) == ("stale", True)
    assert one.watch(SECOND + 1, paused=True) == []
