"""The connection to the engine, without a screen: it waits, catches up, folds, and asks again when it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from fetalstream.pipeline import wire
from fetalstream.tui.dashboard.connection import Connection
from fetalstream.tui.settings.scan_protocols import read_protocol
from tests.tui import scan
from tests.tui.plain_host import PlainHost
from tests.tui.scan import SECOND, START, Clock, ListFeed


class RefillingFeed(ListFeed):
    """A feed whose engine still has messages from before."""

    def __init__(self, state: wire.EngineState | None = None) -> None:
        super().__init__(state)
        self.before: dict[str, list[wire.Message]] = {}

    async def request(self, command: wire.Command) -> dict[str, Any]:
        result = await super().request(command)
        if isinstance(command, wire.GetSince):
            return {"messages": [msgspec.to_builtins(each) for each in self.before.get(command.kind, [])]}
        return result


class Film(RefillingFeed):
    folder = Path("/nowhere")
    seconds, duration, speed = 0.0, 1.0, 1.0

    def set_speed(self, speed: float) -> None: ...

    def seek(self, seconds: float) -> list[Any]:
        return []


def made(
    feed: RefillingFeed | None = None, *, read_only: bool = False
) -> tuple[PlainHost, Connection, RefillingFeed, Clock]:
    feed, host, clock = feed or RefillingFeed(scan.STATE), PlainHost(), Clock()
    return host, Connection(host, feed, clock, read_only=read_only), feed, clock


async def test_it_starts_again_until_the_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetalstream.tui.dashboard.connection.RECONNECT_EVERY_S", 0)
    host, connection, feed, _ = made()
    feed.away = 3
    await connection.connect()
    assert host.lines == [("Waiting for the engine: no engine answers: start one with fetalstream run", "warn")] * 3
    assert host.said is None
    assert host.session.run == "run-a"
    assert host.session.names == ("stream-1",)


async def test_messages_wait_in_the_feed_until_the_state_is_known() -> None:
    host, connection, feed, clock = made()
    feed.put(scan.reading(START))
    connection.take(clock())
    assert len(feed.waiting) == 1
    await connection.connect()
    connection.take(clock())
    assert feed.waiting == []
    assert host.session.streams["stream-1"].reading is not None


async def test_best_frames_and_events_from_before_are_fetched() -> None:
    host, connection, feed, _ = made()
    feed.keyframes = [msgspec.to_builtins(scan.keyframe(START, "femur", 0.7))]
    feed.before = {"keyframe": [scan.keyframe(START - 1, "femur", 0.5)], "event": [scan.event(START, text="a note")]}
    await connection.connect()
    view = host.session.streams["stream-1"]
    assert view.best["femur"].score == 0.7
    assert {each.score for each in view.review.counted} == {0.5, 0.7}
    assert [event.detail for event in view.events] == [{"text": "a note"}]
    assert feed.names == ["keyframes", "since", "since"]


class OddFeed(RefillingFeed):
    """A feed of which some messages could not be read, and whose replies hold anything."""

    unreadable = 0
    odd: Any = None

    async def request(self, command: wire.Command) -> dict[str, Any]:
        await super().request(command)
        return {"keyframes": self.odd, "messages": self.odd}


@pytest.mark.parametrize("odd", [None, 5, "text", {"a": 1}, [5, None, "x", {"seq": 2**70}]])
async def test_replies_of_something_else_are_left_out(odd: Any) -> None:
    feed = OddFeed(scan.STATE)
    feed.odd = odd
    host, connection, _, _ = made(feed)
    await connection.connect()
    assert host.session.streams["stream-1"].best == {}


async def test_it_says_once_that_messages_cannot_be_read() -> None:
    feed = OddFeed(scan.STATE)
    host, connection, _, clock = made(feed)
    await connection.connect()
    connection.take(clock())
    assert host.said is None
    feed.unreadable = 2
    for _ in range(3):
        connection.take(clock())
    (line,) = host.lines
    assert "cannot be read and are left out" in line[0]


@pytest.mark.parametrize("header", [{"broken": 1}, {}, {"keyframe": 3}])
async def test_a_header_that_cannot_be_read_is_left_out(header: dict[str, Any]) -> None:
    host, connection, feed, _ = made()
    feed.keyframes = [header, msgspec.to_builtins(scan.keyframe(START, "femur", 0.7))]
    await connection.connect()
    assert host.session.streams["stream-1"].best["femur"].score == 0.7


async def test_an_engine_that_answers_nothing_more_is_no_reason_to_stop() -> None:
    host, connection, feed, clock = made()
    feed.refusal = "no answer"
    await connection.connect()
    feed.put(scan.reading(START))
    connection.take(clock())
    assert host.session.streams["stream-1"].reading is not None
    assert host.lines == []


async def test_what_is_wrong_with_a_recording_is_said() -> None:
    host, connection, _, _ = made(RefillingFeed(replace(scan.STATE, amiss="1 saved picture is missing")))
    await connection.connect()
    assert host.said == ("1 saved picture is missing", "warn")


@pytest.mark.parametrize(("read_only", "told"), [(False, True), (True, False)])
async def test_the_protocol_goes_on_record_unless_read_only(read_only: bool, told: bool) -> None:
    host, connection, feed, _ = made(read_only=read_only)
    host.protocol = read_protocol("fasp-20-week")
    await connection.connect()
    assert (wire.ChooseProtocol(protocol="fasp-20-week") in feed.asked) is told


async def test_another_run_is_asked_for_its_state_and_told_the_protocol() -> None:
    host, connection, feed, clock = made()
    host.protocol = read_protocol("fasp-20-week")
    await connection.connect()
    feed.asked.clear()
    feed.state = replace(scan.STATE, run="run-b", model=wire.ModelState(name="fetalclip"))
    feed.put(scan.reading(START + SECOND, run="run-b"))
    connection.take(clock())
    assert await host.run() == ["reopen"]
    assert host.session.model.name == "fetalclip"
    assert feed.names == ["state", "protocol"]
    connection.take(clock())
    assert host.work == []


async def test_a_run_whose_state_cannot_be_had_is_said() -> None:
    host, connection, feed, clock = made()
    await connection.connect()
    feed.refusal = "the engine does not answer"
    feed.put(scan.reading(START + SECOND, run="run-b"))
    connection.take(clock())
    await host.run()
    assert host.said == ("the engine does not answer", "warn")


def without_size() -> wire.EngineState:
    (stream,) = scan.STATE.streams
    return replace(scan.STATE, streams=[replace(stream, width=None, height=None)])


async def test_the_size_of_frames_is_asked_for_once_a_frame_has_come() -> None:
    host, connection, feed, clock = made(RefillingFeed(without_size()))
    await connection.connect()
    connection.take(clock())
    assert host.work == []
    feed.state = scan.STATE
    for seq in range(3):
        feed.put(scan.reading(START + seq, seq=seq))
        connection.take(clock())
    assert await host.run() == ["measure"]
    facts = host.session.streams["stream-1"].facts
    assert facts is not None
    assert (facts.width, facts.height) == (640, 480)


async def test_a_recording_is_not_asked_for_sizes() -> None:
    host, connection, feed, clock = made(Film(without_size()))
    await connection.connect()
    feed.put(scan.reading(START))
    connection.take(clock())
    assert host.work == []


async def test_a_recording_that_was_moved_is_as_it_was_then_and_just_now() -> None:
    host, connection, feed, clock = made(Film(scan.STATE))
    await connection.connect()
    feed.put(scan.reading(START, "brain"), scan.keyframe(START, "brain"))
    connection.take(clock())
    clock.forward(100)
    redrawn = host.redrawn
    connection.rebuild([(scan.reading(START + 5 * SECOND, "femur"), None), (scan.preview(START), b"jpeg")])
    view = host.session.streams["stream-1"]
    assert view.reading is not None
    assert view.reading.plane == "femur"
    assert view.preview == b"jpeg"
    assert view.best == {}
    assert view.reading_age_s(clock()) == 0.0
    assert host.redrawn == redrawn + 1
    assert host.session.model.name == "mini"


async def test_an_empty_past_leaves_what_the_state_said() -> None:
    host, connection, _, _ = made(Film(scan.STATE))
    await connection.connect()
    connection.rebuild([])
    assert host.session.names == ("stream-1",)
    assert host.session.streams["stream-1"].reading is None
