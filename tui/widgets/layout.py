"""The layouts: narrow from 80 x 24 cells on, wide (with borders, trend and log) from 120 x 40, tall from 52 rows."""

from __future__ import annotations

from collections.abc import Iterable

from fetalstream.tui.widgets.palette import ACCENT, BACKGROUND, LINE, MUTED, TEXT, TRACK, WARN
from fetalstream.tui.widgets.panel import Layout, Panel

WIDE_COLUMNS = 120
WIDE_ROWS = 40  # the least that holds planes, age and checklist in one column
TALL_ROWS = 52  # from which a strip of stills has room beneath a picture that is still large
EDGE_ROWS = 5  # header, status, health, notice and keys
FRAME_ROWS = 2  # a border, above and below

CSS = f"""
Screen {{ background: {BACKGROUND}; color: {TEXT}; layout: vertical; overflow: hidden; }}
TextBlock {{ width: 1fr; height: 1; background: {BACKGROUND}; text-wrap: nowrap; text-overflow: clip; }}
.wide #header {{ background: {TRACK}; }}
#notice {{ color: {WARN}; }}

Single {{ height: 1fr; layout: horizontal; }}
Single #left {{ width: 1fr; padding: 0 1 0 0; }}
Single #right {{ width: 39; }}
Single #beneath {{ display: none; }}
.wide Single #left {{ padding: 0; }}
.wide Single #right {{ width: 58; }}
.wide Single .framed {{
    border: round {LINE}; border-title-color: {MUTED}; border-subtitle-color: {MUTED};
    padding: 0 1; height: auto;
}}
.wide Single #beneath {{ display: block; height: 11; layout: horizontal; }}
Preview {{ width: 1fr; height: 1fr; background: {BACKGROUND}; }}

Overview {{ display: none; height: 1fr; layout: grid; grid-size: 2; grid-gutter: 0 1; }}
Overview Tile {{ height: 1fr; layout: vertical; }}
Overview Tile.chosen TextBlock {{ background: {TRACK}; }}
.overview Overview {{ display: block; }}
.overview Single {{ display: none; }}

Footer {{ background: {BACKGROUND}; color: {MUTED}; padding: 0 1; }}
FooterKey {{ background: {BACKGROUND}; color: {MUTED}; }}
FooterKey .footer-key--key {{ background: {BACKGROUND}; color: {ACCENT}; text-style: bold; }}

ModalScreen {{ align: center middle; background: {BACKGROUND} 40%; }}
.dialog {{
    width: auto; height: auto; max-width: 78; padding: 1 2; border: round {ACCENT};
    border-title-color: {ACCENT}; background: {BACKGROUND};
}}
.dialog Static {{ width: auto; }}
.asking {{ width: 64; }}
.asking Input {{ width: 1fr; margin: 1 0 0 0; background: {TRACK}; color: {TEXT}; }}
.choosing {{ width: 64; max-height: 90%; }}
.choosing OptionList {{ height: auto; max-height: 16; background: {BACKGROUND}; border: none; }}
.review {{ width: 98%; height: 92%; max-width: 200; padding: 0 1; }}
.review Horizontal {{ height: 1fr; }}
.review #views {{ height: 1fr; }}
.review .compared {{ width: 1fr; height: 1fr; padding: 0 0 0 1; }}
.review .compared TextBlock {{ height: 4; }}
.review #review-keys {{ height: 1; }}
.review TextBlock, .sheet TextBlock {{ width: 1fr; }}
.review #views {{ width: 29; }}
.tight #views {{ width: 24; }}
.tight .compared TextBlock {{ height: 4; }}
.sheet {{ width: 98%; height: 92%; max-width: 200; padding: 0 1; }}
.sheet Thumbnails {{ height: 1fr; }}
.sheet #sheet-words {{ height: 1; }}

Thumbnails {{ layout: grid; grid-size: 1; grid-gutter: 0 1; }}
Thumbnails Thumbnail {{ height: 1fr; layout: vertical; }}
Thumbnails Thumbnail.chosen TextBlock {{ background: {TRACK}; }}
"""


def layout_for(columns: int, rows: int) -> Layout:
    """Return the layout that fits a terminal of so many cells."""
    if columns < WIDE_COLUMNS or rows < WIDE_ROWS:
        return "narrow"
    return "wide" if rows < TALL_ROWS else "tall"


def css(panels: Iterable[type[Panel]]) -> str:
    """Return the style of the whole dashboard with these panels."""
    return CSS + "".join(map(_panel_css, panels))


def _panel_css(panel: type[Panel]) -> str:
    selectors: dict[Layout, str] = {"narrow": "", "wide": ".wide ", "tall": ".tall "}
    rules = (
        f"{prefix}Single #{panel.name} {{ display: {'block' if panel.shown_in(layout) else 'none'};"
        f" {panel.styles.get(layout, '')} }}\n"
        for layout, prefix in selectors.items()
    )
    return "".join(rules) + panel.rules
