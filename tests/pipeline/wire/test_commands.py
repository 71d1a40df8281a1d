from typing import Any, get_args

import msgspec
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.wire.events import EventName

EXAMPLES: list[wire.Command] = [
    wire.GetState(),
    wire.GetSince(kind="event", stream="stream-1", seq=-1),
    wire.GetKeyframes(),
    wire.GetKeyframe(keyframe="k"),
    wire.GetClip(keyframe="k"),
    wire.Explain(keyframe="k", plane="femur"),
    wire.ConfirmSaved(ids=["k"], clips=["k"]),
    wire.Mark(stream="stream-1", text="here"),
    wire.Snapshot(),
    wire.Decide(stream="stream-1", keyframe="k", verdict="relabel", plane="femur"),
    wire.Undo(stream="stream-1"),
    wire.NewExam(),
    wire.SetSpacing(stream="stream-1", spacing_mm=0.2),
    wire.SetSector(sector=[0, 0, 30, 40]),
    wire.AskSentence(text="a heart"),
    wire.ChooseProtocol(protocol="fasp-20-week"),
    wire.NoteExport(what="report"),
    wire.Pause(),
    wire.Resume(),
    wire.Stop(reason="enough"),
]


@pytest.mark.parametrize("command", EXAMPLES, ids=wire.name_of)
def test_every_command_comes_back_from_its_request_as_it_was(command: wire.Command) -> None:
    request = msgspec.json.decode(wire.encode(wire.request_of(command)), type=wire.Request)
    assert "command" not in request.args
    assert wire.command_from(request.command, request.args) == command


def test_the_examples_cover_all_commands() -> None:
    assert [wire.name_of(each) for each in EXAMPLES] == list(wire.COMMANDS)


def test_arguments_that_are_not_said_are_not_sent() -> None:
    assert wire.request_of(wire.Mark(stream="stream-1")).args == {"stream": "stream-1"}


def test_an_argument_of_a_later_version_is_ignored() -> None:
    assert wire.command_from("pause", {"later": 1, "command": "stop"}) == wire.Pause()


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("mark", {"text": ["x"] * 600}),
        ("mark", {"text": "x" * 501}),
        ("mark", {"stream": ""}),
        ("decide", {"keyframe": "k"}),
        ("decide", {"keyframe": "k", "verdict": None}),
        ("decide", {"keyframe": "k", "verdict": "maybe"}),
        ("decide", {"verdict": "accept"}),
        ("set_spacing", {"spacing_mm": 0}),
        ("set_spacing", {"spacing_mm": float("nan")}),
        ("set_spacing", {"spacing_mm": 2.01}),
        ("set_spacing", {"spacing_mm": 0.0099}),
        ("set_spacing", {"spacing_mm": 1e-320}),
        ("set_spacing", {"spacing_mm": 1e308}),
        ("set_spacing", {"spacing_mm": "0.2"}),
        ("set_spacing", {"spacing_mm": True}),
        ("set_sector", {"sector": "whole"}),
        ("set_sector", {"sector": [["0", "1"], [2, 3]]}),
        ("since", {"kind": "preview", "stream": "stream-1", "seq": 0}),
        ("since", {"kind": "event", "stream": "stream-1", "seq": "0"}),
        ("saved", {"ids": "k"}),
        ("keyframe", {"keyframe": ""}),
    ],
)
def test_wrong_arguments_are_refused_with_the_name_of_the_one_and_what_is_right(name: str, args: Any) -> None:
    with pytest.raises(wire.BadCommand) as caught:
        wire.command_from(name, args)
    said = str(caught.value)
    assert said.startswith(f"{name}: ")
    assert "it takes" in said
    assert "\n" not in said
    assert len(said) < 500


def test_an_unknown_command_is_refused_with_the_choice() -> None:
    with pytest.raises(wire.BadCommand, match="unknown command 'fly': choose state, since"):
        wire.command_from("fly", {})


def test_every_event_name_has_a_meaning_and_a_detail() -> None:
    assert set(wire.EVENTS) == set(get_args(EventName))
    assert all(kind.meaning.endswith(".") and kind.detail.__doc__ for kind in wire.EVENTS.values())
