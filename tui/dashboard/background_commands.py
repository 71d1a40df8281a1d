"""Other ``fetalstream`` commands, run beside the dashboard: each in a process of its own, so that nothing heavy is
ever loaded into the process that draws, and a failure there does no harm here."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from fetalstream.tui.record.session_files import safe_name, sessions_folder
from fetalstream.tui.record.session_reader import open_database
from fetalstream.tui.record.store import DATABASE
from fetalstream.tui.state.text import stopwatch

_NICE: Final = 5
_MODEL_NAME: Final = re.compile(r"(?!.*\.toml$)[a-z0-9][a-z0-9._-]*")
_OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

MAX_HITS: Final = 20
"""Moments that a search is asked for."""


class CommandFailed(Exception):
    """A command that failed; ``str()`` is the last line that it wrote on standard error."""


class SearchHit(NamedTuple):
    """A moment of a recording on the publisher's clock, and a line about it."""

    stream: str
    published_ns: int
    words: str


async def run_command(*arguments: str, offline: bool = False) -> list[str]:
    """Run ``fetalstream`` with ``arguments`` and return the lines that it wrote on standard output.

    Args:
        arguments: of the command line.
        offline: whether models may be taken from this machine only.

    Raises:
        CommandFailed: it ended with another code than 0.
    """
    # It must find the modules that this process found, and it yields to the engine and to the drawing.
    script = (
        f"import os, sys; os.nice({_NICE}); sys.path[:] = {sys.path!r}; "
        "from fetalstream.tui.cli import main; sys.exit(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, *arguments,
        env=os.environ | (_OFFLINE if offline else {}),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise CommandFailed(
            lines[-1].removeprefix("fetalstream: ") if lines else f"{arguments[0]} ended with code {process.returncode}"
        )
    return out.decode(errors="replace").splitlines()


async def search_recording(folder: Path, words: str, model: str | None) -> list[SearchHit]:
    """Return the moments of a recording that fit a sentence best, the best first.

    Raises:
        CommandFailed: it was recorded without image vectors, by another model, or by one that is not installed here.
    """
    # The name comes from a recording or an engine: it must not choose a file, nor lead to a download.
    if model is not None and not _MODEL_NAME.fullmatch(model):
        raise CommandFailed("the name of the recording's model is none: use fetalstream search --model")
    named = [] if model is None else ["--model", model]
    arguments = ["search", str(folder), "--json", "--top", str(MAX_HITS), *named, "--", words]
    lines = await run_command(*arguments, offline=True)
    moments: list[dict[str, Any]] = json.loads(lines[-1])["moments"] if lines else []
    return await asyncio.to_thread(_with_times, folder, moments)


def _with_times(folder: Path, moments: Sequence[dict[str, Any]]) -> list[SearchHit]:
    """Look up when each moment was published; moments whose reading is not on disk yet are left out."""
    hits: list[SearchHit] = []
    with closing(open_database(folder / DATABASE)) as database:
        for each in moments:
            row = database.execute(
                "SELECT published_ns FROM messages"
                " WHERE kind = 'reading' AND stream = ? AND exam = ? AND pts_seconds = ?",
                (each["stream"], each["exam"], each["pts_seconds"]),
            ).fetchone()
            if row is not None:
                line = f"{each['score']:.2f}  {stopwatch(each['pts_seconds'])}  {each['stream']}"
                hits.append(SearchHit(each["stream"], row[0], line))
    return hits


def session_of(run: str) -> Path | None:
    """Return the folder of a run's session among this user's own; None if there is none."""
    return next(iter(sorted(sessions_folder().glob(f"*_{safe_name(run)}"))), None) if run else None
