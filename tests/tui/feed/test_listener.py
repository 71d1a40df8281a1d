from collections.abc import Iterator
from pathlib import Path

import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.tui.feed.control_client import ControlClient, EngineAddress, NoAnswer, new_context
from fetalstream.tui.feed.listener import Listener, ReceivedMessage
from fetalstream.tui.feed.protocol import RequestFailed
from tests.scripted_engine import ScriptedEngine, health, on_tcp
from tests.waiting import until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        yield engine


class Listening:
    """A listener and all that it has yielded; ``asker`` is the client that it asks with."""

    def __init__(self, engine: ScriptedEngine, seen: dict[str, int] | None = None) -> None:
        self.context = new_context()
        self.asker = ControlClient(self.context)
        control = engine.endpoints.control
        self.listener = Listener(
            self.context, self.asker, EngineAddress(control, self.asker.state(control)), seen or {}
        )
        self.heard: list[ReceivedMessage] = []

    def __enter__(self) -> "Listening":
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()
        self.context.term()

    def take(self) -> None:
        self.heard += self.listener.receive(0.01)

    def join(self, engine: ScriptedEngine) -> None:
        """Until the subscription has arrived."""

        def arrived() -> bool:
            engine.publisher.send(health())
            self.take()
            return any(isinstance(each.message, wire.Health) for each in self.heard)

        until(arrived)

    def seqs(self, kind: type[wire.Message] = wire.Reading, run: str | None = None) -> list[int]:
        return [
            each.message.seq
            for each in self.heard
            if isinstance(each.message, kind) and run in (None, each.message.run)
        ]

    def until_seqs(self, wanted: list[int], kind: type[wire.Message] = wire.Reading, run: str | None = None) -> None:
        def come() -> bool:
            self.take()
            return self.seqs(kind, run) == wanted

        until(come)


def drop(engine: ScriptedEngine, count: int) -> None:
    """Readings that are published and reach nobody."""
    send = engine.publisher._pub.send_multipart
    engine.publisher._pub.send_multipart = lambda *_: None  # type: ignore[method-assign,assignment]
    engine.read(count)
    engine.publisher._pub.send_multipart = send  # type: ignore[method-assign]


def test_what_was_published_before_is_fetched_from_what_is_known(engine: ScriptedEngine) -> None:
    engine.read(5)
    with Listening(engine, {"reading/stream-1": 2}) as one:
        one.heard += one.listener.catch_up()
        assert one.seqs() == [3, 4]
        one.heard += one.listener.catch_up()  # nothing twice
        assert one.seqs() == [3, 4]


def test_a_gap_is_filled_before_what_follows_it(engine: ScriptedEngine) -> None:
    with Listening(engine) as one:
        one.join(engine)
        drop(engine, 20)
        engine.read(1)
        one.until_seqs(list(range(21)))
        assert (one.listener.lost, one.listener.unanswered) == (0, False)


def test_a_message_that_comes_twice_is_given_once(engine: ScriptedEngine) -> None:
    with Listening(engine) as one:
        one.join(engine)
        engine.read(1)
        one.until_seqs([0])
        header = one.heard[-1].header
        engine.publisher._pub.send_multipart([b"reading/stream-1", header])
        engine.read(1)
        one.until_seqs([0, 1])


def test_what_the_engine_has_forgotten_is_counted_as_lost(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Listening(engine) as one:
        one.join(engine)
        with monkeypatch.context() as forgetting:
            forgetting.setattr(engine.publisher.ring, "add", lambda *_: None)
            drop(engine, 3)
        engine.read(1)
        one.until_seqs([3])
        assert one.listener.lost == 3


def test_a_gap_that_nobody_answers_for_is_noted_and_the_message_given(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise NoAnswer("busy")

    with Listening(engine) as one:
        one.join(engine)
        monkeypatch.setattr(one.asker, "ask", busy)
        drop(engine, 2)
        engine.read(1)
        one.until_seqs([2])
        assert one.listener.unanswered


def test_another_run_is_heard_from_its_first_message(tmp_path: Path) -> None:
    first = ScriptedEngine(on_tcp(endpoints_in(tmp_path)))
    with Listening(first) as one:
        one.join(first)
        first.read(2)
        one.until_seqs([0, 1])
        first.end()
        with ScriptedEngine(first.endpoints) as second:
            second.read(4)

            def come() -> bool:
                second.publisher.send(health())
                one.take()
                return one.listener.run == second.run

            until(come)
            second.read(1)
            one.until_seqs(list(range(5)), run=second.run)


def test_an_engine_that_does_not_say_where_it_publishes_is_refused_in_one_line(engine: ScriptedEngine) -> None:
    context = new_context()
    address = EngineAddress(engine.endpoints.control, wire.EngineState(run=engine.run))
    with pytest.raises(RequestFailed, match="does not say where it publishes"):
        Listener(context, ControlClient(context), address, {})
    context.term()
