"""The alignment of rows of text in columns."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """Return one line for each row, its cells but the last filled up to the width of their columns."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ((cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [(" " * gap).join(line).rstrip() for line in lines]
