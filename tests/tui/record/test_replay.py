from collections.abc import Iterator
from pathlib import Path

import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.wire import EngineState, ModelState
from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.feed.protocol import Feed, RequestFailed
from fetalstream.tui.record.replay import Recording, RecordingError, ReplayFeed
from fetalstream.tui.record.store import SessionStore
from tests.scripted_engine import Kept, frame_info, health, reading

SECOND = 10**9
KEPT = Kept(f"{7:032x}")


class Clock:
    now_ns = 50 * SECOND

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten seconds: a reading, a preview and health each second, a keyframe after five."""
    clock = Clock()
    stamp = MessageStamper("run-a", clock_ns=clock)
    with SessionStore(tmp_path, EngineState(run="run-a", model=ModelState(name="mini"))) as store:
        for index in range(11):
            clock.now_ns = (100 + index) * SECOND
            store.add(stamp.stamp(reading(index)))
            store.add(stamp.stamp(reading(index, "stream-2")))
            store.add(stamp.stamp(health()))
            preview = wire.Preview(stream="stream-1", exam="exam-a", width=1, height=1, frame=frame_info(index))
            store.add(stamp.stamp(preview), blob=b"jpeg %d" % index)
            if index == 5:
                keyframe = wire.Keyframe(
                    stream="stream-1", exam="exam-a", keyframe=KEPT.keyframe, plane="brain", subplane=None, score=0.5,
                    parts={}, frame=frame_info(5), gestation=None,
                )  # fmt: skip
                store.add(stamp.stamp(keyframe))
        store.pictures.save(KEPT.keyframe, KEPT.png())
        return store.folder


@pytest.fixture
def recording(folder: Path) -> Iterator[Recording]:
    recording = Recording(folder)
    yield recording
    recording.close()
    recording.close()


def test_messages_come_in_time_order_as_they_were(recording: Recording) -> None:
    recorded = list(recording.messages())
    assert [each.seconds for each in recorded] == sorted(each.seconds for each in recorded)
    readings = [each.message for each in recorded if isinstance(each.message, wire.Reading)]
    assert [message.frame.index for message in readings if message.stream == "stream-1"] == list(range(11))
    assert recording.seconds == 10.0
    previews = [each.blob for each in recorded if isinstance(each.message, wire.Preview)]
    assert previews == [b"jpeg %d" % index for index in range(11)]


def test_one_stream_from_a_moment_on(recording: Recording) -> None:
    found = list(recording.messages(from_seconds=7.0, stream="stream-2"))
    assert [each.seconds for each in found] == [7.0, 8.0, 9.0, 10.0]
    assert {each.message.stream for each in found} == {"stream-2"}


def test_a_kept_picture_is_had_by_its_id(recording: Recording) -> None:
    picture = recording.picture(KEPT.keyframe)
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert recording.picture("unknown") is None


async def test_as_a_feed_it_plays_by_the_clock(recording: Recording) -> None:
    clock = Clock()
    feed: Feed = (played := ReplayFeed(recording, speed=2.0, clock_ns=clock))
    assert feed.drain() == []  # not begun
    state = await feed.start()
    assert (state.replay, state.run, state.model) == (True, "run-a", wire.ModelState(name="mini"))
    first = feed.drain()
    assert len(first) == 4
    assert feed.drain() == []
    clock.now_ns += 3 * SECOND // 2  # three recorded seconds
    later = feed.drain()
    previews = [(message, blob) for message, blob in later if isinstance(message, wire.Preview)]
    assert [blob for _, blob in previews] == [b"jpeg 3"]
    assert len([message for message, _ in later if isinstance(message, wire.Reading)]) == 6
    assert feed.last_heard_ns == clock.now_ns
    clock.now_ns += 60 * SECOND
    feed.drain()
    assert played.finished
    assert played.seconds == 10.0
    await feed.close()


async def test_it_can_be_sought_and_slowed(recording: Recording) -> None:
    clock = Clock()
    feed = ReplayFeed(recording, clock_ns=clock)
    await feed.start()
    clock.now_ns += 8 * SECOND
    feed.drain()
    feed.seek(2.0)
    assert {message.published_ns for message, _ in feed.drain()} == {102 * SECOND}
    feed.set_speed(0)
    clock.now_ns += 8 * SECOND
    assert feed.drain() == []
    feed.set_speed(1.0)
    clock.now_ns += SECOND
    assert {message.published_ns for message, _ in feed.drain()} == {103 * SECOND}
    feed.seek(99.0)
    assert feed.seconds == 10.0


async def test_the_past_can_be_asked_and_not_changed(recording: Recording) -> None:
    clock = Clock()
    feed = ReplayFeed(recording, clock_ns=clock)
    await feed.start()
    assert await feed.request(wire.GetKeyframes()) == {"keyframes": []}
    clock.now_ns += 6 * SECOND
    (keyframe,) = (await feed.request(wire.GetKeyframes()))["keyframes"]
    assert keyframe["keyframe"] == KEPT.keyframe
    assert (await feed.request(wire.GetState()))["replay"]
    with pytest.raises(RequestFailed, match="recording"):
        await feed.request(wire.Mark(stream="stream-1"))


def test_what_is_no_session_is_one_line(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "session.db").write_bytes(b"not a database at all, but long enough to be taken for one")
    (tmp_path / "y" / "session.json").write_bytes(b"{}")
    (folder / "session.json").write_bytes(b"[]")
    for wrong in (tmp_path / "absent", tmp_path / "x", tmp_path / "y", folder):
        with pytest.raises(RecordingError) as caught:
            Recording(wrong)
        assert "\n" not in str(caught.value)


def test_an_empty_session_is_a_short_one(tmp_path: Path) -> None:
    with SessionStore(tmp_path, EngineState(run="run-b")) as store:
        pass
    recording = Recording(store.folder)
    assert list(recording.messages()) == []
    assert recording.seconds == 0
    recording.close()


async def test_what_is_to_be_known_at_a_moment_comes_with_the_seeking(recording: Recording) -> None:
    feed = ReplayFeed(recording, clock_ns=Clock())
    await feed.start()
    passed = feed.seek(7.5)
    kinds = [wire.kind_of(message) for message, _ in passed]
    assert max(message.published_ns for message, _ in passed) == 107 * SECOND
    assert kinds.count("keyframe") == 1
    assert {m.seq for m, _ in passed if isinstance(m, wire.Reading)} == {0, 6, 7}
    assert [blob for m, blob in passed if isinstance(m, wire.Preview)][-1] == b"jpeg 7"
    assert feed.seek(-3.0) == []
    assert await feed.picture(KEPT.keyframe) == recording.picture(KEPT.keyframe)
    assert await feed.picture("unknown") is None
    assert (await feed.request(wire.GetSince(kind="event", stream="stream-1", seq=-1))) == {"messages": []}


async def test_the_dashboard_seeks_and_changes_its_speed(recording: Recording) -> None:
    clock = Clock()
    app = FetalstreamApp(feed := ReplayFeed(recording, clock_ns=clock), clock_ns=clock)
    async with app.run_test(size=(80, 24)) as pilot:

        def index() -> int | None:
            app.tick()
            view = app.session.streams.get("stream-1")
            return None if view is None or view.reading is None else view.reading.frame.index

        for _ in range(200):
            await pilot.pause(0.01)
            if index() == 0:
                break
        await pilot.press("right")
        assert index() == 5
        assert "brain" in app.session.streams["stream-1"].best
        await pilot.press("left")
        assert index() == 0
        assert not app.session.streams["stream-1"].best
        await pilot.press("plus", "plus")
        clock.now_ns += SECOND
        assert (feed.speed, index()) == (4.0, 4)
        await pilot.press("minus", "p")
        clock.now_ns += SECOND
        assert (feed.speed, index()) == (0.0, 4)
        await pilot.press("s", "n")
        assert len(app.screen_stack) == 1
        await pilot.press("end")
        assert index() == 10
