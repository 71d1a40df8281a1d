"""The operator's commands, without a screen: what is asked, what is sent, what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fetalstream.pipeline import wire
from fetalstream.tui.dashboard.operator import Operator, positive
from fetalstream.tui.dashboard.past import Held, Past
from fetalstream.tui.state.session import Session
from tests.tui import scan
from tests.tui.plain_host import PlainHost
from tests.tui.scan import START, Clock, ListFeed


class NotedFeed(ListFeed):
    """A feed whose engine adds a note to what it did."""

    async def request(self, command: wire.Command) -> dict[str, Any]:
        return {**await super().request(command), "note": "the ruler is not whole"}


class Recording(ListFeed):
    folder = Path("/nowhere")
    seconds, duration, speed = 0.0, 1.0, 1.0

    def set_speed(self, speed: float) -> None: ...

    def seek(self, seconds: float) -> list[Any]:
        return []


def made(feed: ListFeed | None = None, *, read_only: bool = False) -> tuple[PlainHost, Operator, ListFeed, Past]:
    feed = feed or ListFeed()
    host = PlainHost(scan.session(scan.reading(START), scan.health(START)), "stream-1")
    past = Past(host, Clock(), None, lambda _: None)
    return host, Operator(host, feed, past, read_only=read_only), feed, past


async def sent(host: PlainHost, feed: ListFeed) -> wire.Command:
    assert await host.run() == ["commands"]
    return feed.asked[-1]


@pytest.mark.parametrize(
    ("do", "answer", "command", "arguments", "done"),
    [
        ("mark", "a note", "mark", {"text": "a note"}, "Mark set on stream-1"),
        ("mark", "", "mark", {"text": ""}, "Mark set on stream-1"),
        ("new_exam", True, "new_exam", {}, "New exam on stream-1"),
        ("ask", "a hand", "ask", {"text": "a hand"}, "Asked on stream-1"),
        ("ask", "", "ask", {"text": None}, "Nothing is asked any more"),
        ("set_scale", "0,21", "set_spacing", {"spacing_mm": 0.21}, "Scale set on stream-1"),
        ("set_scale", "", "set_spacing", {"spacing_mm": None}, "Scale set on stream-1"),
        ("set_region", 0, "set_sector", {"sector": "auto"}, "Scan region set on stream-1"),
    ],
)
async def test_an_answer_is_sent_and_what_was_done_is_said(
    do: str, answer: object, command: str, arguments: dict[str, Any], done: str
) -> None:
    host, operator, feed, _ = made()
    getattr(operator, do)()
    assert host.work == []
    host.answer(answer)
    assert await sent(host, feed) == wire.command_from(command, {"stream": "stream-1", **arguments})
    assert host.said == (done, "good")


@pytest.mark.parametrize("do", ["mark", "new_exam", "ask", "set_scale", "set_region", "choose_protocol"])
async def test_leaving_a_question_sends_nothing(do: str) -> None:
    host, operator, feed, _ = made()
    getattr(operator, do)()
    host.answer(None)
    assert (host.work, feed.asked, host.said) == ([], [], None)


async def test_no_to_a_new_exam_sends_nothing() -> None:
    host, operator, _, _ = made()
    operator.new_exam()
    assert host.answer(False).title == "new exam on stream-1"
    assert host.work == []


@pytest.mark.parametrize("words", ["much", "-1", "0", "nan", "inf", "1e308", "1e-320", "2.1", "0,009"])
async def test_a_scale_that_is_no_number_is_refused_at_once(words: str) -> None:
    host, operator, _, _ = made()
    operator.set_scale()
    host.answer(words)
    assert host.work == []
    assert host.said == ("The scale is a number of mm per pixel, 0.01 to 2, for example 0.21", "bad")


@pytest.mark.parametrize(("words", "value"), [("1", 1.0), (" 0.5 ", 0.5), ("2,5", 2.5), ("1e-2", 0.01)])
def test_numbers_are_read_with_a_point_or_a_comma(words: str, value: float) -> None:
    assert positive(words) == value


async def test_the_sentence_asked_last_is_offered_again() -> None:
    host, operator, _, _ = made()
    operator.ask()
    assert host.answer("a hand").value == ""
    operator.ask()
    assert host.answer(None).value == "a hand"
    operator.ask()
    assert host.answer("").value == "a hand"
    operator.ask()
    assert host.questions[-1].value == ""
    await host.run()


async def test_a_snapshot_of_a_held_screen_is_said_to_be_of_now() -> None:
    host, operator, feed, past = made()
    operator.snapshot()
    assert await sent(host, feed) == wire.Snapshot(stream="stream-1")
    assert host.said == ("Snapshot taken on stream-1", "good")
    past.held = Held(Session(), START)
    operator.snapshot()
    await host.run()
    assert host.said == (
        "Snapshot taken on stream-1: of the picture of now, not of the one that is held", "good"
    )  # fmt: skip


async def test_the_engine_is_paused_and_resumed() -> None:
    host, operator, feed, _ = made()
    operator.pause_engine()
    assert await sent(host, feed) == wire.Pause()
    assert host.said == ("The engine is paused", "good")
    host.session = scan.session(scan.health(START, paused=True))
    operator.pause_engine()
    assert await sent(host, feed) == wire.Resume()


@pytest.mark.parametrize(
    ("verdict", "done"), [("accept", "Accepted, on record"), ("reject", "Rejected, on record")]
)  # fmt: skip
async def test_a_decision_goes_on_record(verdict: Any, done: str) -> None:
    host, operator, feed, _ = made()
    operator.decide("id", verdict)
    assert await sent(host, feed) == wire.Decide(stream="stream-1", keyframe="id", verdict=verdict)
    assert host.said == (done, "good")


async def test_a_decision_is_taken_back() -> None:
    host, operator, feed, _ = made()
    operator.undo()
    assert await sent(host, feed) == wire.Undo(stream="stream-1")
    assert host.said == ("Taken back, on record", "good")


async def test_a_relabel_offers_every_plane_and_the_brains_sections() -> None:
    host, operator, feed, _ = made()
    operator.relabel("id")
    question = host.questions[-1]
    assert question.choices[:5] == ("abdomen", "brain", "brain, thalamic", "brain, cerebellum", "brain, ventricular")
    assert "no plane" not in question.choices
    host.answer(2)
    assert await sent(host, feed) == wire.Decide(
        stream="stream-1", keyframe="id", verdict="relabel", plane="brain", subplane="trans-thalamic"
    )
    assert host.said == ("Relabelled, on record", "good")


async def test_a_protocol_is_taken_and_goes_on_record() -> None:
    host, operator, feed, _ = made()
    operator.choose_protocol()
    titles = host.questions[-1].choices
    assert titles[0] == "all planes that the model knows"
    place = next(at for at, title in enumerate(titles) if "FASP" in title)
    host.answer(place)
    assert host.protocol is not None
    assert await sent(host, feed) == wire.ChooseProtocol(protocol=host.protocol.name)
    assert host.said == (f"Protocol: {titles[place]}", "good")
    operator.choose_protocol()
    host.answer(0)
    assert host.protocol is None
    await host.run()


async def test_a_read_only_dashboard_keeps_its_protocol_for_itself() -> None:
    host, operator, feed, _ = made(read_only=True)
    operator.choose_protocol()
    host.answer(1)
    assert host.protocol is not None
    assert (host.work, feed.asked) == ([], [])
    assert host.said is not None
    assert host.said[0].startswith("Protocol: ")


COMMANDS = ("mark", "snapshot", "new_exam", "ask", "set_scale", "set_region", "pause_engine", "undo")


@pytest.mark.parametrize("do", COMMANDS)
@pytest.mark.parametrize("feed", [ListFeed(), Recording()], ids=["engine", "recording"])
async def test_read_only_sends_and_asks_nothing_and_says_why(do: str, feed: ListFeed) -> None:
    host, operator, _, _ = made(feed, read_only=True)
    getattr(operator, do)()
    assert (host.work, host.questions) == ([], [])
    why = "a recording cannot be changed" if isinstance(feed, Recording) else "read-only: this dashboard only looks"
    assert host.said == (why, "warn")


@pytest.mark.parametrize("do", COMMANDS)
async def test_without_a_stream_nothing_is_sent(do: str) -> None:
    host, operator, _, _ = made()
    host.selected = None
    getattr(operator, do)()
    assert (host.work, host.questions) == ([], [])
    assert host.said == ("No stream yet", "warn")


async def test_a_refusal_is_said_in_its_own_words() -> None:
    host, operator, feed, _ = made()
    feed.refusal = "the stream has ended"
    operator.snapshot()
    await host.run()
    assert host.said == ("the stream has ended", "bad")


async def test_a_note_of_the_engine_is_a_warning() -> None:
    host, operator, _, _ = made(NotedFeed())
    operator.snapshot()
    await host.run()
    assert host.said == ("Snapshot taken on stream-1: the ruler is not whole", "warn")
