"""Where everything stands: narrow from 80 x 24 cells on, wide (with borders, trend and log) from 120 x 40."""

from __future__ import annotations

from fetalstream.tui.widgets.palette import ACCENT, BACKGROUND, BAD, LINE, MUTED, TEXT, TRACK, WARN

WIDE_COLUMNS = 120
WIDE_ROWS = 40  # the least that holds planes, age and checklist in one column
TALL_ROWS = 52  # from which a strip of stills has room beneath a picture that is still large
BESIDE_CHECKLIST = 29
"""Rows that everything but the checklist's lines takes in the wide layout's right column, edges included."""

CSS = f"""
Screen {{ background: {BACKGROUND}; color: {TEXT}; layout: vertical; overflow: hidden; }}
Panel {{ width: 1fr; height: 1; background: {BACKGROUND}; text-wrap: nowrap; text-overflow: clip; }}
.wide #header {{ background: {TRACK}; }}
#notice {{ color: {WARN}; }}

Single {{ height: 1fr; layout: horizontal; }}
Single #left {{ width: 1fr; padding: 0 1 0 0; }}
Single #right {{ width: 39; }}
Single #picture {{ height: 1fr; }}
Single #age-narrow {{ height: 4; padding: 0 0 0 1; }}
Single #timeline {{ height: 1; }}
Single #planes {{ height: 1fr; padding: 0 1 0 0; }}
Single .wide-only {{ display: none; }}
Single .tall-only {{ display: none; }}

.wide Single #left {{ padding: 0; }}
.wide Single #right {{ width: 58; }}
.wide Single .wide-only {{ display: block; }}
.wide Single #age-narrow {{ display: none; }}
.wide Single .framed {{
    border: round {LINE}; border-title-color: {MUTED}; border-subtitle-color: {MUTED};
    padding: 0 1; height: auto;
}}
.wide Single #picture {{ height: 1fr; padding: 0; }}
.wide Single #picture.stale {{ border: heavy {WARN}; }}
.wide Single #picture.lost {{ border: heavy {BAD}; }}
.wide Single #planes {{ height: 1fr; min-height: 16; padding: 0 1; }}
.wide Single #timeline {{ height: 4; }}
.tall Single .tall-only {{ display: block; height: 9; }}
.wide Single #beneath {{ height: 11; layout: horizontal; }}
.wide Single #trend-box {{ width: 1fr; height: 11; padding: 0; }}
.wide Single #log {{ width: 34; height: 11; }}
Preview {{ width: 1fr; height: 1fr; background: {BACKGROUND}; }}

Overview {{ display: none; height: 1fr; layout: grid; grid-size: 2; grid-gutter: 0 1; }}
Overview Tile {{ height: 1fr; layout: vertical; }}
Overview Tile.chosen Panel {{ background: {TRACK}; }}
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
.review .compared Panel {{ height: 4; }}
.review #review-keys {{ height: 1; }}
.review Panel, .sheet Panel {{ width: 1fr; }}
.review #views {{ width: 29; }}
.tight #views {{ width: 24; }}
.tight .compared Panel {{ height: 4; }}
.sheet {{ width: 98%; height: 92%; max-width: 200; padding: 0 1; }}
.sheet Thumbnails {{ height: 1fr; }}
.sheet #sheet-words {{ height: 1; }}

Thumbnails {{ layout: grid; grid-size: 1; grid-gutter: 0 1; }}
Thumbnails Thumbnail {{ height: 1fr; layout: vertical; }}
Thumbnails Thumbnail.chosen Panel {{ background: {TRACK}; }}
"""
