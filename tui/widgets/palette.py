"""The colours of the dashboard, dark and calm: colour is kept for what matters, red for what must not be missed."""

from __future__ import annotations

from rich.text import Text

from fetalstream.tui.state.freshness import Tone

BACKGROUND = "#0b0f14"
LINE = "#25303b"
TRACK = "#1c2630"
TEXT = "#d5dde5"
MUTED = "#82909d"
FAINT = "#4d5965"
ACCENT = "#56c2cf"
RAW = "#e7eef4"
GOOD = "#6fcf97"
WARN = "#e8b04a"
BAD = "#f0625d"
COLD = "#8ab4f8"
INK = "#0b0f14"

TONES: dict[Tone, str] = {"good": GOOD, "quiet": MUTED, "cold": COLD, "warn": WARN, "bad": BAD}


def mixed(low: str, high: str, share: float) -> str:
    """Return the colour ``share`` of the way from ``low`` to ``high``, both ``#rrggbb``."""
    pairs = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def grayed(text: Text) -> Text:
    """Return the same characters in gray, for data too old to be trusted at a glance; empty tracks stay empty."""
    gray = Text(text.plain, style=FAINT, no_wrap=True, end="")
    for span in text.spans:
        if span.style == TRACK:
            gray.stylize(TRACK, span.start, span.end)
    return gray


def lines(rows: list[Text]) -> Text:
    """Return the rows joined into one block that never wraps."""
    block = Text("\n", no_wrap=True, end="").join(rows)
    block.no_wrap = True
    return block


def spread(left: Text, right: Text, width: int) -> Text:
    """Return ``left`` and ``right`` at the two ends of a row; if both do not fit, ``left`` alone."""
    gap = width - left.cell_len - right.cell_len
    return Text.assemble(left, " " * gap, right, no_wrap=True, end="") if gap > 0 else left
