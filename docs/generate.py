"""Writes the parts of the documentation that follow from the code: ``python -m docs.generate``, or ``make docs``.

Each part stands in a page between ``<!-- generated: NAME -->`` and ``<!-- end -->``. ``tests/test_docs.py`` fails if a
page does not say what the code says. From the root of the repository.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from docs import tables_of_commands, tables_of_files, tables_of_packages, tables_of_stream
from fetalstream.pipeline.wire import schema
from fetalstream.pipeline.wire import tables as wire_tables

ROOT: Final = Path(__file__).parents[1]
_BLOCK: Final = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

BLOCKS: Final[dict[str, Callable[[], str]]] = {
    **tables_of_commands.BLOCKS,
    **tables_of_files.BLOCKS,
    **tables_of_packages.BLOCKS,
    **tables_of_stream.BLOCKS,
    "messages": wire_tables.kinds,
    "events": wire_tables.events,
    "control-commands": wire_tables.commands,
}
"""What makes each part, by its name."""


def pages() -> list[Path]:
    """All Markdown files of the documentation: those at the root of the repository, and those in ``docs``."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def names_in(text: str) -> list[str]:
    """The names of the generated parts that a page holds."""
    return [match[2] for match in _BLOCK.finditer(text)]


def renewed(text: str) -> str:
    """A page with its generated parts made anew.

    Raises:
        KeyError: the page names a part that nothing makes.
    """
    return _BLOCK.sub(lambda match: f"{match[1]}\n{BLOCKS[match[2]]().strip()}\n\n{match[3]}", text)


def main() -> None:
    """Write every page anew whose generated parts have changed, and the schema of the wire."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        if (after := renewed(before)) != before:
            page.write_text(after, encoding="utf-8")
            sys.stderr.write(f"{page.relative_to(ROOT)}\n")
    (ROOT / "docs" / "wire.schema.json").write_text(schema.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
