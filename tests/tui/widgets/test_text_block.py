from rich.text import Text
from textual.app import App, ComposeResult
from textual.geometry import Region

from fetalstream.tui.widgets.text_block import TextBlock


class OnePanel(App[None]):
    CSS = "TextBlock { width: 20; height: auto; }"

    def compose(self) -> ComposeResult:
        yield TextBlock()


def said(panel: TextBlock) -> list[str]:
    return [strip.text.rstrip() for strip in panel.render_lines(Region(0, 0, *panel.size))]


async def test_only_rows_that_changed_are_drawn_again() -> None:
    app = OnePanel()
    async with app.run_test() as pilot:
        panel = app.query_one(TextBlock)
        panel.show(Text("one\ntwo\nthree"))
        await pilot.pause()
        assert said(panel) == ["one", "two", "three"]
        drawn: list[int] = []
        render_line = panel.render_line
        panel.render_line = lambda y: drawn.append(y) or render_line(y)
        assert panel.show(Text.assemble("one\n", ("TWO", "bold"), "\nthree"))
        assert said(panel) == ["one", "TWO", "three"]
        assert drawn == [1]
        assert panel.show(Text.assemble("one\n", ("TWO", "red"), "\nthree"))
        said(panel)
        assert drawn == [1, 1]


async def test_it_is_as_high_as_its_text_and_never_reads_markup() -> None:
    app = OnePanel()
    async with app.run_test() as pilot:
        panel = app.query_one(TextBlock)
        for words in ("[red]a[/]\n\n[/b]", "one", "", "\n\n\n", "a line that is wider than the panel is\nx"):
            panel.show(Text(words))
            await pilot.pause()
            assert panel.size.height == len(words.split("\n"))
            assert said(panel) == [line[:20].rstrip() for line in words.split("\n")]
