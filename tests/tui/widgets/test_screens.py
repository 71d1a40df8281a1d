import pytest

from fetalstream.tui.widgets.screens import ConfirmNewExam, Help
from tests.tui.stage import Stage


@pytest.mark.parametrize(
    ("key", "answer"), [("y", True), ("enter", True), ("n", False), ("escape", False), ("q", False)]
)
async def test_a_new_exam_needs_a_yes(key: str, answer: bool) -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(ConfirmNewExam("stream-1"))
        await pilot.pause()
        assert "Start a new exam on stream-1?" in app.text()
        assert "stay in the recording" in app.text()
        await pilot.press(key)
        assert app.answers == [answer]


async def test_a_streams_name_cannot_fill_the_question_or_be_markup() -> None:
    app = Stage()
    async with app.run_test() as pilot:
        app.show(ConfirmNewExam("[red]" + "x" * 100))
        await pilot.pause()
        assert "new exam on [red]" + "x" * 18 + "…?" in app.text()


async def test_the_help_fits_the_smallest_screen_whole() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.show(Help())
        await pilot.pause()
        assert "choose a stream" in app.text()
        assert "UNCALIBRATED" in app.text()
        assert "esc closes" in app.text()
        assert "…" not in app.text().replace("1 … 9", "")
