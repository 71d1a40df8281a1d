import pytest
from textual.widgets import Input

from fetalstream.tui.widgets.prompts import MAX_WORDS, AskLine, Choose
from tests.tui.stage import Stage


async def test_a_line_is_answered_as_it_was_written() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(AskLine("mark", "A note"))
        await pilot.press(*"hand", "enter")
        assert app.answers == ["hand"]


async def test_a_line_begins_with_its_value_and_may_be_emptied() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(AskLine("ask", "What to look for", "a femur"))
        await pilot.pause()
        assert app.screen.query_one(Input).value == "a femur"
        assert "What to look for" in app.text()
        await pilot.press("ctrl+u", "enter")
        assert app.answers == [""]


async def test_leaving_a_line_answers_none() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(AskLine("mark", "A note", "x"))
        await pilot.press("escape")
        assert app.answers == [None]


async def test_a_line_holds_no_more_than_may_be_sent_and_nothing_a_terminal_obeys() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(AskLine("mark", "A note", "a\u202eb\x1b[2J" + "x" * 300))
        await pilot.press("enter")
        (answer,) = app.answers
        assert isinstance(answer, str)
        assert len(answer) <= MAX_WORDS
        assert answer.startswith("ab[2Jx")


@pytest.mark.parametrize(
    ("keys", "answer"), [("enter", 1), ("down enter", 2), ("up enter", 0), ("escape", None), ("q", None)]
)
async def test_a_choice_is_answered_by_its_place(keys: str, answer: int | None) -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(Choose("theme", ["dark", "light", "[b]loud[/b]"], chosen=1))
        await pilot.pause()
        assert "[b]loud[/b]" in app.text()
        await pilot.press(*keys.split())
        assert app.answers == [answer]


async def test_a_long_list_scrolls_to_what_is_chosen() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(Choose("moments", [f"moment {n}" for n in range(50)], chosen=49))
        await pilot.pause()
        assert "moment 49" in app.text()
        assert "moment 0 " not in app.text()


async def test_of_nothing_nothing_can_be_chosen() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(Choose("moments", []))
        await pilot.press("enter")
        assert app.answers == []
        await pilot.press("escape")
        assert app.answers == [None]
