import re

import pytest

from fetalstream.tui.widgets import layout
from fetalstream.tui.widgets.single import PANELS


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        (80, 24, "narrow"),
        (119, 100, "narrow"),
        (300, 39, "narrow"),
        (120, 40, "wide"),
        (200, 51, "wide"),
        (120, 52, "tall"),
        (1, 1, "narrow"),
    ],
)
def test_the_layout_is_the_largest_that_fits(columns: int, rows: int, expected: str) -> None:
    assert layout.layout_for(columns, rows) == expected


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_is_hidden_where_it_has_no_style(panel) -> None:
    css = layout.css([panel])
    for name, prefix in (("narrow", r"\n"), ("wide", r"\.wide "), ("tall", r"\.tall ")):
        (display,) = re.findall(rf"{prefix}Single #{panel.name} {{ display: (\w+);", css)
        assert display == ("block" if panel.shown_in(name) else "none")


def test_a_panels_own_rules_follow_its_sizes() -> None:
    css = layout.css(PANELS)
    assert css.index("Single #picture {") < css.index(".wide Single #picture.stale")


def test_braces_are_closed() -> None:
    css = layout.css(PANELS)
    assert css.count("{") == css.count("}")
    assert "{{" not in css
