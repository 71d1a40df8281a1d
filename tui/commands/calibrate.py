"""``fetalstream calibrate``: the scan region and depth ruler of a scanner's screen, found and kept as a profile."""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.option_parts import Commands, add_command, json_option

if TYPE_CHECKING:
    from fetalstream.streamer.region.calibration import Calibration
    from fetalstream.streamer.sources import Source

_FIRST_S: Final = 10.0  # of media time looked at, while no region is sure
_PATIENCE_S: Final = 20.0  # with a live source that sends nothing


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(
        commands,
        "calibrate",
        "find scan region and depth ruler, and remember them for a scanner",
        "Looks at a few frames of SOURCE, writes a picture of what it found, asks, and writes a profile\n"
        "for --profile.",
    )
    parser.add_argument("source", metavar="SOURCE", help="as for run; an image will do")
    parser.add_argument("--name", metavar="NAME", help="of the profile (asked for)")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="where the picture goes (calibration.png)")
    json_option(parser, "print what was found as one JSON object, and ask nothing")
    return parser


def run(options: argparse.Namespace) -> int:
    """Look at the source and offer a profile; failed if no scan region was found.

    Raises:
        SourceError: the source cannot be read.
    """
    found = calibrate(options.source, name=options.name, as_json=options.json, picture=options.picture)
    return DONE if found else FAILED


def calibrate(source: str, *, name: str | None, as_json: bool, picture: Path | None) -> bool:
    """Look at a source, print what was found, and offer to write a scanner profile.

    Args:
        source: as for ``run``.
        name: of the profile to write; None to ask for it.
        as_json: print one JSON object and ask nothing.
        picture: where the picture of what was found goes; None for ``calibration.png``, or none with ``as_json``.

    Returns:
        Whether a scan region was found; with ``as_json``, True whenever there were frames to look at.

    Raises:
        SourceError: the source cannot be read.
    """
    from fetalstream.streamer.errors import SourceError
    from fetalstream.streamer.region.calibration import look_at, save_picture
    from fetalstream.streamer.sources import open_source

    with open_source(source) as opened, _impatient(opened):
        try:
            found = look_at(opened, seconds=_FIRST_S)
        except SourceError:
            trouble = opened.status.trouble
            if trouble is None:
                raise
            raise SourceError(f"no picture came within {_PATIENCE_S:g} seconds ({trouble})") from None
    if picture is not None or not as_json:
        save_picture(found, picture or Path("calibration.png"))
    if as_json:
        print(json.dumps(found.values()))
        return True
    _show(found, picture or Path("calibration.png"))
    if found.sector is None or not sys.stdin.isatty():
        return found.sector is not None
    _offer(found, name)
    return True


@contextmanager
def _impatient(source: Source) -> Generator[None]:
    """Close a live source that sends nothing within ``_PATIENCE_S``; one that sends is read for ``_FIRST_S``."""
    timer = threading.Timer(_PATIENCE_S, source.close)
    if source.live:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _show(found: Calibration, picture: Path) -> None:
    values = found.values()
    for line in _sketch(found):
        print(line)
    sector, ruler = values["sector"], values["ruler"]
    if found.sector is None:
        print("Scan region: not found. Give it yourself: --sector X,Y,W,H, or corners in a configuration file.")
    else:
        x, y, width, height = sector["rectangle"]
        sure = f"confidence {sector['confidence']:.2f}"
        print(f"Scan region ({found.sector.kind}): {width} x {height} pixels from {x}, {y}; {sure}")
    if ruler is None:
        print("Depth ruler: not read. Give the scale yourself: --spacing MM.")
    else:
        print(f"Depth ruler: {ruler['spacing_mm']:.4f} mm a pixel; confidence {ruler['confidence']:.2f}")
    print(f"State: {found.state}.")
    print(f"Picture: {picture}. It shows the whole screen, names included: delete it when you have looked at it.")


def _sketch(found: Calibration, columns: int = 64) -> list[str]:
    """Return the screen as letters: ``#`` for kept pixels, ``.`` for masked ones, a space for black."""
    kept, lit = found.cells(columns)
    return ["".join("#" if k else "." if bright else " " for k, bright in zip(*row, strict=True))
            for row in zip(kept, lit, strict=True)]  # fmt: skip


def _offer(found: Calibration, name: str | None) -> None:
    from fetalstream.streamer.region.profiles import user_folder, write_profile

    if input("Is that right? Write a profile? [y/N] ").strip().lower() not in ("y", "yes"):
        return
    chosen: Any = name or input("Name of the scanner (letters, digits, - and _): ").strip()
    path = write_profile(found.profile(chosen), user_folder())
    print(f"Written: {path}. Use it with: fetalstream run SOURCE --profile {chosen}")
