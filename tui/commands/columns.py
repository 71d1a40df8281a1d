"""Rows of text as columns that line up."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]], gap: int = 2) -> list[str]:
    """One line a row; every cell but the last is filled up to its column's width."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = ((cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [(" " * gap).join(line).rstrip() for line in lines]
