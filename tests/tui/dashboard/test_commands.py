"""The table of commands; that each does what it should is in ``test_every_key.py``."""

from collections import Counter

from textual.binding import Binding

from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.dashboard.commands import COMMANDS
from fetalstream.tui.widgets.screens import _KEYS
from tests.tui.bench import bench


def keys() -> list[str]:
    return [key for each in COMMANDS for key in each.keys.split(",") if key]


def test_no_key_has_two_commands() -> None:
    assert [key for key, count in Counter(keys()).items() if count > 1] == []


def test_each_command_can_be_reached_and_has_words() -> None:
    for each in COMMANDS:
        assert each.keys or each.title
        assert bool(each.keys) == bool(each.label)
        assert bool(each.title) == bool(each.about)
        assert not each.sign or each.keys


def test_titles_in_the_palette_differ() -> None:
    titles = [each.title for each in COMMANDS if each.title]
    assert len({*titles}) == len(titles)


def test_the_app_binds_each_key_to_its_own_command() -> None:
    bound = [each for each in FetalstreamApp.BINDINGS if isinstance(each, Binding)]
    with_keys = [place for place, each in enumerate(COMMANDS) if each.keys]
    assert [each.action for each in bound] == [f"command({place})" for place in with_keys]
    assert [each.show for each in bound] == [bool(COMMANDS[place].sign) for place in with_keys]


def test_the_help_names_each_key() -> None:
    signs = {"slash": "/", "plus": "+", "equals_sign": "+", "minus": "-", "left": "←", "right": "→", "space": "p"}
    signs |= {"shift+left": "shift", "shift+right": "shift", "shift+tab": "tab", "question_mark": "q"}
    words = " ".join(f"{name} {meaning}" for name, meaning in _KEYS)
    digits = {str(number) for number in range(2, 9)}
    assert [key for key in keys() if key not in digits and signs.get(key, key) not in words] == []


async def test_only_keys_that_come_first_rest_under_a_question() -> None:
    async with bench() as b:
        first = [place for place, each in enumerate(COMMANDS) if each.first]
        assert [COMMANDS[place].keys for place in first] == ["tab", "shift+tab"]
        assert all(b.app.check_action("command", (place,)) for place in range(len(COMMANDS)))
        await b.pilot.press("question_mark")
        resting = [place for place in range(len(COMMANDS)) if not b.app.check_action("command", (place,))]
        assert resting == first
        assert b.app.check_action("quit", ())
