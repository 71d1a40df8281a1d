"""Other ``fetalstream`` commands, carried out beside the dashboard: each in a process of its own, so that nothing heavy
is ever loaded into the one that draws, and nothing that fails there is felt here."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from fetalstream.tui.record.session_files import safe_name, sessions_folder
from fetalstream.tui.record.store import DATABASE
from fetalstream.tui.state.text import stopwatch

_NICER: Final = 5
SEARCHED: Final = 20
"""Moments that a search is asked for."""


class CommandFailed(Exception):
    """The command came to nothing; ``str()`` is the line that it ended with."""


class SearchHit(NamedTuple):
    """A moment of a recording on the publisher's clock, and a line about it."""

    stream: str
    published_ns: int
    words: str


async def carried_out(*arguments: str) -> list[str]:
    """What ``fetalstream`` with those arguments wrote on standard output, line by line.

    Raises:
        Failed: it ended with another code than 0.
    """
    # It must find the modules that this process found, and it yields to the engine and to the drawing.
    script = (
        f"import os, sys; os.nice({_NICER}); sys.path[:] = {sys.path!r}; "
        "from fetalstream.tui.cli import main; sys.exit(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise CommandFailed(
            lines[-1].removeprefix("fetalstream: ") if lines else f"{arguments[0]} ended with code {process.returncode}"
        )
    return out.decode(errors="replace").splitlines()


async def sought(folder: Path, words: str, model: str | None) -> list[SearchHit]:
    """The moments of a recording that fit a sentence best, the best first.

    Raises:
        Failed: it was recorded without image vectors, or by another model.
    """
    named = [] if model is None else ["--model", model]
    arguments = ["search", str(folder), "--json", "--top", str(SEARCHED), *named, "--", words]
    lines = await carried_out(*arguments)
    found: list[dict[str, Any]] = json.loads(lines[-1])["moments"] if lines else []
    return await asyncio.to_thread(_dated, folder, found)


def _dated(folder: Path, found: Sequence[dict[str, Any]]) -> list[SearchHit]:
    """With the times at which they were published; those whose reading is not on disk yet are left out."""
    dated: list[SearchHit] = []
    uri = f"{(folder / DATABASE).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        for each in found:
            row = database.execute(
                "SELECT published_ns FROM messages"
                " WHERE kind = 'reading' AND stream = ? AND exam = ? AND pts_seconds = ?",
                (each["stream"], each["exam"], each["pts_seconds"]),
            ).fetchone()
            if row is not None:
                line = f"{each['score']:.2f}  {stopwatch(each['pts_seconds'])}  {each['stream']}"
                dated.append(SearchHit(each["stream"], row[0], line))
    return dated


def session_of(run: str) -> Path | None:
    """Where a run is recorded, where that is this user's own folder of sessions; None where it is not there."""
    return next(iter(sorted(sessions_folder().glob(f"*_{safe_name(run)}"))), None) if run else None
