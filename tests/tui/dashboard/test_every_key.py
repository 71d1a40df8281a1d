"""Every key of every screen and every command of the palette, collected from the code, against what it should do.

A key or a command that is added to the code and not to the tables here fails.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import asdict
from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import Command, CommandList, CommandPalette
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from fetalstream.pipeline.wire import Message, name_of
from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.widgets.prompts import AskLine, Choose
from fetalstream.tui.widgets.review import Review
from fetalstream.tui.widgets.screens import ConfirmNewExam, Help
from fetalstream.tui.widgets.sheet import Sheet
from fetalstream.tui.widgets.themes import DARK
from tests.tui import scan
from tests.tui.bench import Bench, bench
from tests.tui.scan import START, ListFeed

NINE = tuple(f"stream-{number}" for number in range(1, 10))


class PlayedFeed(ListFeed):
    """A recording of a minute, as far as keys can tell."""

    folder = Path("/nowhere")
    seconds, duration, speed = 30.0, 60.0, 1.0

    def set_speed(self, speed: float) -> None:
        self.speed = speed

    def seek(self, seconds: float) -> list[tuple[Message, bytes | None]]:
        self.seconds = seconds
        return []


class Does(NamedTuple):
    """``now`` comes true after the key; ``after``: keys pressed before it; ``played``: over a recording."""

    now: Callable[[Bench], object]
    after: str = ""
    played: bool = False


# What comes true -----------------------------------------------------------------------------------------------


def opens(screen: type[Screen[Any]], title: str = "") -> Callable[[Bench], bool]:
    def opened(b: Bench) -> bool:
        return isinstance(b.app.screen, screen) and title in b.screen()

    return opened


def asks(command: str, **args: object) -> Callable[[Bench], bool]:
    def asked(b: Bench) -> bool:
        return any(name_of(each) == command and args.items() <= asdict(each).items() for each in b.feed.asked)

    return asked


def closed(b: Bench) -> bool:
    return len(b.app.screen_stack) == 1


def closed_without_a_word(b: Bench) -> bool:
    return closed(b) and set(b.feed.names) <= {"keyframes", "since", "protocol"}


def held(seconds_ago: float) -> Callable[[Bench], bool]:
    def stands(b: Bench) -> bool:
        return b.app.past.held is not None and b.clock() - b.app.past.held.at_ns == seconds_ago * scan.SECOND

    return stands


def chosen(stream: str) -> Callable[[Bench], bool]:
    return lambda b: b.app.selected == stream


def at(place: int) -> Callable[[Bench], bool]:
    def stands(b: Bench) -> bool:
        assert isinstance(b.app.screen, (Review, Sheet))
        return b.app.screen._at == place

    return stands


def speed(value: float) -> Callable[[Bench], bool]:
    return lambda b: b.feed.speed == value  # type: ignore[attr-defined]


def gone(b: Bench) -> bool:
    return not b.app.is_running or b.feed.closed


def overview(b: Bench) -> bool:
    return b.dashboard.has_class("overview")


APP: dict[str, Does] = {
    "p": Does(held(0)),
    "space": Does(lambda b: b.app.past.held is None, after="p"),
    "m": Does(opens(AskLine, "A note")),
    "s": Does(asks("snapshot", stream="stream-1")),
    "n": Does(opens(ConfirmNewExam)),
    "b": Does(opens(Review)),
    "v": Does(opens(Sheet)),
    "y": Does(opens(Choose, "FASP 20-week")),
    "slash": Does(opens(AskLine, "What to look for, in words")),
    "f": Does(opens(AskLine, "a word of a note")),
    "e": Does(opens(AskLine, "mm per pixel")),
    "left": Does(held(5)),
    "right": Does(held(5), after="left left"),
    "shift+left": Does(held(30)),
    "shift+right": Does(lambda b: b.app.past.held is None, after="shift+left"),
    "end": Does(lambda b: b.app.past.held is None, after="left"),
    "plus": Does(speed(2.0), played=True),
    "equals_sign": Does(speed(2.0), played=True),
    "minus": Does(speed(0.5), played=True),
    "r": Does(opens(Choose, "scan region")),
    "o": Does(overview),
    "t": Does(opens(Choose, "theme")),
    "tab": Does(chosen("stream-2")),
    "shift+tab": Does(chosen("stream-9")),
    "question_mark": Does(opens(Help)),
    "q": Does(gone),
    "1": Does(chosen("stream-1"), after="2"),
    **{str(number): Does(chosen(f"stream-{number}")) for number in range(2, 10)},
    "ctrl+q": Does(gone),
    "ctrl+c": Does(lambda b: "q leaves the dashboard" in b.screen()),
    "ctrl+p": Does(opens(CommandPalette)),
}
REVIEW: dict[str, Does] = {
    **{key: Does(closed) for key in ("escape", "b", "q")},
    **{key: Does(at(1)) for key in ("up", "k")},  # from the third view, the first that has a frame
    **{key: Does(at(3)) for key in ("down", "j")},
    **{key: Does(asks("decide", keyframe="id-femur-0.7", verdict="accept")) for key in ("a", "enter")},
    "c": Does(asks("decide", keyframe="id-femur-0.5", verdict="accept")),
    "r": Does(asks("decide", keyframe="id-femur-0.7", verdict="reject")),
    "l": Does(opens(Choose, "it really shows")),
    "u": Does(asks("undo", stream="stream-1")),
}
SHEET: dict[str, Does] = {
    **{key: Does(closed) for key in ("escape", "v", "q")},
    **{key: Does(at(8)) for key in ("left", "h")},
    **{key: Does(at(1)) for key in ("right", "l")},
    **{key: Does(at(0), after="down") for key in ("up", "k")},
    **{key: Does(at(3)) for key in ("down", "j")},
    **{key: Does(opens(Review)) for key in ("enter", "b")},
}
SCREENS: dict[type[Screen[Any]], tuple[str, dict[str, Does]]] = {
    Review: ("b", REVIEW),
    Sheet: ("v", SHEET),
    Help: ("question_mark", dict.fromkeys(("escape", "question_mark", "q", "enter"), Does(closed))),
    ConfirmNewExam: (
        "n",
        {
            **dict.fromkeys(("y", "enter"), Does(asks("new_exam", stream="stream-1"))),
            **dict.fromkeys(("escape", "n", "q"), Does(closed_without_a_word)),
        },
    ),
    AskLine: ("m x", {"escape": Does(closed_without_a_word)}),
    Choose: ("t", dict.fromkeys(("escape", "q"), Does(lambda b: closed(b) and b.app.colours == DARK, after="down"))),
}
PALETTE: dict[str, Does] = {
    "Pause or resume the screen": APP["p"],
    "Pause or resume the engine": Does(asks("pause")),
    "Mark with a note": APP["m"],
    "Snapshot": APP["s"],
    "New exam": APP["n"],
    "Best frames": APP["b"],
    "Views": APP["v"],
    "Protocol": APP["y"],
    "Ask in words": APP["slash"],
    "Find a moment": APP["f"],
    # Carried out whole, with a real session, in test_palette_session.py.
    "Search the recording in words": Does(opens(AskLine, "What to look for in the recording")),
    "Write the report": Does(lambda b: "Writing the report" in b.screen()),
    "Export the session": Does(opens(Choose, "best frames as DICOM")),
    "Set the scale": APP["e"],
    "Choose the scan region": APP["r"],
    "All streams": APP["o"],
    "Theme": APP["t"],
    "Help": APP["question_mark"],
    "Quit": APP["q"],
}


# What there is in the code -------------------------------------------------------------------------------------


def subclasses(base: type) -> Iterator[type]:
    for each in base.__subclasses__():
        yield each
        yield from subclasses(each)


def keys_of(owner: type) -> set[str]:
    bindings = [Binding(*each) if isinstance(each, tuple) else each for each in owner.__dict__.get("BINDINGS", ())]
    return {key.strip() for each in bindings for key in each.key.split(",")}


def ours(owner: type) -> bool:
    return owner.__module__.startswith("fetalstream.tui.")


def test_every_key_in_the_code_has_an_expected_effect() -> None:
    # Of the app those of its base in Textual too: nothing else is underneath that would take them.
    app = {key for owner in inspect.getmro(FetalstreamApp) if ours(owner) or owner is App for key in keys_of(owner)}
    assert app | {FetalstreamApp.COMMAND_PALETTE_BINDING} == set(APP)
    bound = {owner: keys_of(owner) for owner in subclasses(Widget) if ours(owner) and keys_of(owner)}
    assert bound == {screen: set(keys) for screen, (_, keys) in SCREENS.items()}


def test_every_command_in_the_code_has_an_expected_effect() -> None:
    app = FetalstreamApp(ListFeed())
    commands: list[SystemCommand] = list(app.get_system_commands(Screen()))
    assert [command.title for command in commands] == list(PALETTE)


# Each, pressed -------------------------------------------------------------------------------------------------


async def at_work(b: Bench, streams: tuple[str, ...] = NINE[:1]) -> None:
    """A minute, and two frames of the third view on the first stream."""
    b.put_streams(*streams)
    b.feed.put(scan.keyframe(START, "femur", 0.5), scan.keyframe(START + 1, "femur", 0.7, seq=1))
    await b.until(lambda: b.app.session.names == streams)
    for _ in range(12):
        b.clock.forward(5)
        b.app.tick()
    await anew(b)


async def anew(b: Bench) -> None:
    """Put everything back as it was before the last key."""
    while len(b.app.screen_stack) > 1:
        await b.app.pop_screen()
    b.app.clear_notifications()
    b.app.past.held = b.app._said = None
    b.app.selected = NINE[0]
    b.dashboard.toggle_overview(False)
    b.feed.asked.clear()
    if isinstance(b.feed, PlayedFeed):
        b.feed.speed = 1.0
    await b.later(0)


async def press(b: Bench, opening: str, key: str, does: Does) -> None:
    await b.pilot.press(*opening.split(), *does.after.split())
    await b.pilot.pause()
    assert not does.now(b), f"there is nothing for {key} to do"
    await b.pilot.press(key)
    await b.until(lambda: does.now(b), f"what {key} should do")


def in_one_run() -> Iterator[Any]:
    for played in (False, True):
        yield pytest.param(played, "", APP, id="recording" if played else "app")
    for screen, (opening, keys) in SCREENS.items():
        many = (pytest.mark.check,) if screen in (Review, Sheet) else ()  # twenty keys, half a second each
        yield pytest.param(False, opening, keys, id=screen.__name__, marks=many)


@pytest.mark.parametrize(("played", "opening", "keys"), list(in_one_run()))
async def test_every_key_does_what_it_should(played: bool, opening: str, keys: dict[str, Does]) -> None:
    async with bench(feed=PlayedFeed(scan.STATE) if played else None) as b:
        await at_work(b, NINE if keys is APP else NINE[:1])
        for key, does in keys.items():
            if does.played is played and does.now is not gone:
                await press(b, opening, key, does)
                await anew(b)


@pytest.mark.parametrize("key", [key for key, does in APP.items() if does.now is gone])
async def test_a_key_leaves_the_dashboard(key: str) -> None:
    async with bench() as b:
        await press(b, "", key, APP[key])


def lit(b: Bench) -> str | None:
    """The command that enter would choose."""
    found = b.app.screen.query_one(CommandList)
    option = None if found.highlighted is None else found.get_option_at_index(found.highlighted)
    return option.hit.text if isinstance(option, Command) else None


async def choose(b: Bench, title: str) -> None:
    """Choose a command from the palette, as if it were typed."""
    await b.pilot.press("ctrl+p")
    b.app.screen.query_one(Input).value = title
    await b.until(lambda: lit(b) == title, f"{title} in the palette")
    assert not PALETTE[title].now(b)
    await b.pilot.press("enter")
    await b.until(lambda: PALETTE[title].now(b), f"what {title} should do")


@pytest.mark.parametrize(
    "titles",
    [
        pytest.param(["Snapshot", "Best frames", "Theme", "Quit"], id="a few"),
        pytest.param([*PALETTE], id="all", marks=pytest.mark.check),  # a second each
    ],
)
async def test_every_command_of_the_palette_does_what_it_should(tmp_path: Path, titles: list[str]) -> None:
    async with bench() as b:
        await at_work(b)
        b.app.recording = RecordingStatus(tmp_path)
        for title in titles:  # Quit is the last
            await choose(b, title)
            if title != "Quit":
                await anew(b)
