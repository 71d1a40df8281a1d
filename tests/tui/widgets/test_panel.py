"""A panel is one class and one line in a list: its place, size and pace follow from what the class says."""

from collections.abc import Mapping
from typing import ClassVar

import pytest
from rich.text import Text
from textual.app import App

from fetalstream.tui.state.session import StreamView
from fetalstream.tui.widgets import layout
from fetalstream.tui.widgets.checklist import Checklist
from fetalstream.tui.widgets.panel import NUMBERS_S, PAST_S, Layout, Place, Space, TextPanel
from fetalstream.tui.widgets.picture import PicturePanel
from fetalstream.tui.widgets.planes import Planes
from fetalstream.tui.widgets.scene import Scene
from fetalstream.tui.widgets.single import PANELS, Single
from fetalstream.tui.widgets.stills import Stills
from tests.tui import scan
from tests.tui.scan import START


class Words(TextPanel):
    name, title = "words", "words"
    place: ClassVar[Place] = "right"
    every_s = PAST_S
    styles: ClassVar[Mapping[Layout, str]] = {"wide": "height: 5;"}
    least_rows = 5

    def __init__(self) -> None:
        super().__init__()
        self.spaces: list[Space] = []

    def text(self, scene: Scene, view: StreamView, space: Space) -> Text:
        self.spaces.append(space)
        return Text(f"words about {view.stream} at {scene.shown_ns}")


class Apart(App[None]):
    """A ``Single`` without anything else on the screen."""

    def __init__(self, *panels: type[TextPanel]) -> None:
        super().__init__()
        self.single = Single(panels)
        self.stylesheet_of_panels = layout.css(panels)

    def get_default_screen(self):
        screen = super().get_default_screen()
        screen.add_class("wide")
        return screen

    def compose(self):
        self.stylesheet.add_source(self.stylesheet_of_panels)
        yield self.single


def scene() -> Scene:
    session = scan.session(scan.reading(START))
    return Scene(session, START, session, START, None, "stream-1", None)


def drawn(single: Single, layout: Layout, due: Mapping[str, bool], *, picture: bool = False) -> None:
    given = scene()
    view = given.view
    assert view is not None
    single.draw(given, view, layout, lambda name, _: due.get(name, False), picture=picture)


async def test_a_panel_stands_in_its_place_with_its_title_and_shows_its_text() -> None:
    app = Apart(Planes, Words)
    async with app.run_test(size=(140, 45)) as pilot:
        drawn(app.single, "wide", {"words": True})
        await pilot.pause()
        box = app.screen.query_one("#words")
        assert box.border_title == "words"
        assert box.size.height + layout.FRAME_ROWS == 5
        assert box.region.y > app.screen.query_one("#planes").region.y
        assert box.parent is app.screen.query_one("#right")
        assert f"words about stream-1 at {START}" in "\n".join(
            strip.text for strip in app.screen._compositor.render_strips(app.size)
        )


async def test_a_panel_is_drawn_only_when_it_is_due_and_only_in_its_layouts() -> None:
    app = Apart(Words)
    async with app.run_test(size=(140, 45)):
        (words,) = app.single._panels
        assert isinstance(words, Words)
        for which, due, times in (("wide", False, 0), ("narrow", True, 0), ("wide", True, 1), ("tall", True, 2)):
            drawn(app.single, which, {"words": due})
            assert len(words.spaces) == times


async def test_rows_that_other_panels_need_are_not_to_spare() -> None:
    app = Apart(Checklist, Words, Planes)
    async with app.run_test(size=(140, 45)):
        words = app.single._panels[1]
        assert isinstance(words, Words)
        drawn(app.single, "wide", {"words": True})
        assert words.spaces[0].spare_rows == 45 - layout.EDGE_ROWS - layout.FRAME_ROWS - Planes.least_rows


async def test_the_checklist_has_the_rows_that_planes_and_age_leave() -> None:
    app = Apart()
    async with app.run_test(size=(140, 45)):
        single = Single(PANELS)
        app.mount(single)
        (checklist,) = [each for each in single._panels if isinstance(each, Checklist)]
        assert single._spare_rows(checklist) == 45 - 29


@pytest.mark.parametrize("panel", PANELS)
def test_each_panel_says_where_it_stands_and_how_large_it_is(panel: type[TextPanel]) -> None:
    assert panel.place in ("left", "beneath", "right")
    assert panel.styles.keys() <= {"narrow", "wide", "tall"}
    assert panel.every_s >= NUMBERS_S
    assert all(style.endswith(";") for style in panel.styles.values())


def test_names_of_panels_are_ids_and_differ() -> None:
    names = [panel.name for panel in PANELS]
    assert len({*names}) == len(names)


def test_a_tall_screen_has_what_a_wide_one_has_and_more() -> None:
    assert Stills.shown_in("tall")
    assert not Stills.shown_in("wide")
    assert Checklist.shown_in("tall")
    assert not Checklist.shown_in("narrow")
    assert all(PicturePanel.shown_in(each) for each in ("narrow", "wide", "tall"))
