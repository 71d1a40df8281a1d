import hashlib
import io
import json

import av

from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.engine.engine import Engine
from fetalstream.pipeline.engine.stream_runner import make_stream
from fetalstream.pipeline.wire import EngineState
from fetalstream.tui.commands.offline_sink import FileSummary, MediaClock, OfflineSink
from fetalstream.tui.commands.progress import Progress
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.record.store import SessionStore
from tests.pipeline.doubles import FACTS, EncoderDouble, ListSource, bank, frame, picture

BRAIN = 1


def analysed(source, store=None, jsonl=None, clock=None):
    clock = MediaClock() if clock is None else clock
    sink = OfflineSink(MessageStamper("run-1", clock), clock, store, jsonl)
    stream = make_stream(source, "stream-1", "exam-1", FACTS, bank, every_frame=True, clip_bytes=sink.clip_bytes)
    tally = sink.next_file(stream, Progress("clip", None, io.StringIO()))
    Engine(EncoderDouble(), [stream], sink).run()
    sink.finish()
    return tally


def brain_scan(frames):
    return ListSource(frame(number, picture(number, BRAIN, 143)) for number in range(frames))


def test_every_frame_is_a_line_of_json():
    lines = io.StringIO()
    analysed(brain_scan(20), jsonl=lines)
    readings = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [reading["frame"]["index"] for reading in readings] == list(range(20))
    assert {reading["run"] for reading in readings} == {"run-1"}


def test_the_session_is_dated_by_the_scan_and_not_by_the_machine(tmp_path):
    with SessionStore(tmp_path, EngineState(run="run-1")) as store:
        analysed(brain_scan(91), store)
        folder = store.folder
        assert store.pictures.wanted() == []
        assert store.pictures.saved() != []
    recording = Recording(folder)
    assert abs(recording.seconds - 3.0) < 0.01
    assert list((folder / "keyframes" / "brain").glob("*.png")) != []
    assert len(list((folder / "previews" / "stream-1").glob("*.jpg"))) in (6, 7)
    recording.close()


def test_a_session_holds_a_clip_round_each_best_frame(tmp_path):
    with SessionStore(tmp_path, EngineState(run="run-1")) as store:
        analysed(brain_scan(91), store)
        folder = store.folder
        (best,) = store.clips.saved()
        assert best in store.pictures.saved()
        assert len(store.pictures.saved()) > 1  # others are stored like it, without a clip
    path = folder / "clips" / f"{best}.mkv"
    about = json.loads(path.with_suffix(".json").read_text())
    with av.open(path) as clip:
        assert len(list(clip.decode(video=0))) == about["clip"]["frames"] > 45
    assert about["clip"]["from_seconds"] <= about["clip"]["at_seconds"] < about["clip"]["to_seconds"]
    assert about["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600


def test_media_time_goes_on_from_file_to_file():
    clock = MediaClock()
    clock.see(2.0)
    clock.see(1.0)
    assert clock() == 2_000_000_000
    clock.next_file()
    clock.see(0.5)
    assert clock() == 2_500_000_000


def test_a_file_in_a_line():
    tally = analysed(brain_scan(60))
    words = tally.words()
    assert words.startswith("60 frames; brain ")
    assert "age 20w" in words
    assert FileSummary(trouble="clip.mp4: damaged").words() == "clip.mp4: damaged"
    assert FileSummary().words() == "0 frames; no standard plane"
