"""Pictures of the dashboard for the documentation, drawn cell by cell from what the terminal would show.

With an engine running (``fetalstream run phantom:7 phantom:3 --headless --no-record``), from the root of the
repository:

    python docs/screenshots.py [ENDPOINT]

It watches for a while, as ``fetalstream watch`` would, and once a brain plane with an age is in view it writes
``docs/images/dashboard-80x24.png`` and ``docs/images/dashboard-140x45.png``, then what each key of ``SCREENS`` opens.
Needs the font DejaVu Sans Mono.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.color import Color
from textual.pilot import Pilot

from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.dashboard import Dashboard

SIZES = ((80, 24), (140, 45))
SCREENS = {
    "best-frames": ("b",),
    "views": ("v",),
    "help": ("question_mark",),
    "protocol": ("y",),
    "find": ("f", *"brain", "enter"),
    "overview": ("o",),
}
"""What is pressed for each picture at the larger size, by its name."""
CELL_W, CELL_H = 10, 20
FONT = "DejaVuSansMono.ttf"
BOLD = "DejaVuSansMono-Bold.ttf"
WATCH_AT_LEAST_S = 60.0
WATCH_AT_MOST_S = 180.0
FILLS_WITHIN_S = 2.0  # pictures of kept frames are fetched

_BLOCKS = {"█": (0, 1), "▀": (0, 0.5), "▄": (0.5, 1)}
_BRAILLE = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
_Colour = tuple[int, int, int]


def _rgb(colour: Color | None, otherwise: str) -> _Colour:
    red, green, blue = (colour or Color.parse(otherwise)).get_truecolor()
    return red, green, blue


def _draw_character(draw: ImageDraw.ImageDraw, x: int, y: int, character: str, colour: _Colour, bold: bool) -> None:
    # Blocks and braille are drawn as rectangles: fonts leave gaps between cells that no terminal shows.
    if character in _BLOCKS:
        top, bottom = _BLOCKS[character]
        draw.rectangle((x, y + round(top * CELL_H), x + CELL_W - 1, y + round(bottom * CELL_H) - 1), colour)
    elif 0x2800 <= ord(character) <= 0x28FF:
        for bit, (column, row) in enumerate(_BRAILLE):
            if (ord(character) - 0x2800) >> bit & 1:
                left, top = x + 2 + 5 * column, y + 2 + 5 * row
                draw.rectangle((left, top, left + 1, top + 1), colour)
    elif character != " ":
        font = ImageFont.truetype(BOLD if bold else FONT, 16)
        draw.text((x, y + 15), character, colour, font, anchor="ls")


def paint(app: FetalstreamApp) -> Image.Image:
    """Return a picture of what the app shows now, ``CELL_W`` x ``CELL_H`` pixels a cell."""
    columns, rows = app.size
    image = Image.new("RGB", (columns * CELL_W, rows * CELL_H), palette.BACKGROUND)
    draw = ImageDraw.Draw(image)
    # Textual's own screenshot is an SVG of text, whose block characters leave gaps in every renderer.
    for y, strip in enumerate(app.screen._compositor.render_strips(app.size)):  # pyright: ignore[reportPrivateUsage]
        x = 0
        for segment in filter(lambda s: s.text, strip):
            style = segment.style
            ink = _rgb(style.color if style else None, palette.TEXT)
            paper = _rgb(style.bgcolor if style else None, palette.BACKGROUND)
            width = segment.cell_length * CELL_W
            draw.rectangle((x, y * CELL_H, x + width - 1, (y + 1) * CELL_H - 1), paper)
            for i, character in enumerate(segment.text):
                _draw_character(draw, x + i * CELL_W, y * CELL_H, character, ink, bool(style and style.bold))
            x += width
    return image


async def _until_brain(app: FetalstreamApp, pilot: Pilot[None]) -> None:
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < WATCH_AT_MOST_S:
        await pilot.pause(0.2)
        view = app.session.streams.get(app.selected or "")
        reading = view.reading if view is not None else None
        settled = reading is not None and reading.plane == "brain" and reading.gestation is not None
        if elapsed > WATCH_AT_LEAST_S and settled:
            # What is known now, drawn now: in a fifth of a second the plane may have been left.
            if isinstance(app.screen, Dashboard):
                app.screen.all_due()
            app.tick()
            await pilot.pause()
            return
    raise SystemExit(
        f"no brain plane with an age within {WATCH_AT_MOST_S:.0f} s: is an engine running? Nothing was drawn"
    )


async def _shoot(endpoint: str | None, size: tuple[int, int]) -> None:
    from fetalstream.tui.feed.engine_feed import (  # only here, so that `paint` serves a feed without sockets too
        EngineFeed,
    )

    app = FetalstreamApp(EngineFeed(endpoint))
    async with app.run_test(size=size) as pilot:
        await _until_brain(app, pilot)
        _save(app, f"dashboard-{size[0]}x{size[1]}")
        if size == SIZES[-1]:
            for name, keys in SCREENS.items():
                await pilot.press(*keys)
                await pilot.pause(FILLS_WITHIN_S)
                _save(app, f"{name}-{size[0]}x{size[1]}")
                while len(app.screen_stack) > 1:
                    await pilot.press("escape")


def _save(app: FetalstreamApp, name: str) -> None:
    path = Path(__file__).parent / "images" / f"{name}.png"
    paint(app).save(path, optimize=True)
    sys.stderr.write(f"{path}\n")


if __name__ == "__main__":
    for shot_size in SIZES:
        asyncio.run(_shoot(sys.argv[1] if len(sys.argv) > 1 else None, shot_size))
