"""A contact sheet of masked screens for the README: what is left of made-up scanners' screens, each beside the whole.

From the root of the repository::

    python docs/sectors.py docs/images/sectors.png                # made-up screens, the outline drawn in
    python docs/sectors.py sheet.png FOLDER_OF_SCREENS     # the same of your own screenshots; mind whose they are
    python -m docs.sectors docs/images/sectors-real.png FOLDER_OF_SCREENS --outlines   # shapes only, not a pixel

The last draws shapes only: white where a real screen is kept, and in green the outline that a person traced.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.streamer.readers.folders import ImageFolder
from fetalstream.streamer.region.masker import Masker

SEEDS = (4, 5, 7, 12)
CELL = (320, 240)
ROW = 2  # screens in a row


def screens(folder: str | None) -> list[list[Frame]]:
    """Return a few frames of each screen."""
    if folder is None:
        return [[ScannerScreen(seed).frame(300 + 4 * i) for i in range(8)] for seed in SEEDS]
    frames = [next(iter(ImageFolder(path))) for path in sorted(Path(folder).iterdir())]
    return [[frame] for frame in frames]


def cell(pixels: np.ndarray) -> np.ndarray:
    """Return pixels as RGB, fitted into a cell."""
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    scale = min(CELL[0] / rgb.shape[1], CELL[1] / rgb.shape[0])
    small = cv2.resize(rgb, (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale)), interpolation=cv2.INTER_AREA)
    out = np.full((CELL[1], CELL[0], 3), 24, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    return out


def pair(frames: list[Frame]) -> np.ndarray:
    """Return the whole screen with the outline, and beside it what goes on from it."""
    masker = Masker("auto", hide_unknown=len(frames) > 1)
    masked = [masker.update(frame) for frame in frames][-1]
    whole = frames[-1].pixels
    whole = whole.copy() if whole.ndim == 3 else np.repeat(whole[:, :, None], 3, axis=2)
    if masked.region is not None:
        outline = np.rint(np.array(masked.region.polygon)).astype(np.int32)
        cv2.polylines(whole, [outline], True, (0, 230, 0), 2)
    return np.hstack([cell(whole), cell(masked.frame.pixels)])


def shape(path: Path) -> np.ndarray:
    """Return a drawing of the region found on a traced screen (white) and of the hand's outline (green)."""
    from tests.streamer.outlines import overlap
    from tests.streamer.traced import OUTLINES

    (frame,) = ImageFolder(path)
    region = Masker("auto").update(frame).region
    found, traced = () if region is None else region.polygon, OUTLINES[path.stem]
    drawn = np.full((frame.height, frame.width, 3), 40, np.uint8)
    if found:
        cv2.fillPoly(drawn, [np.rint(np.array(found)).astype(np.int32)], (225, 225, 225))
    cv2.polylines(drawn, [np.array(traced, np.int32)], True, (0, 160, 0), 3)
    agreement = overlap(found, traced, drawn.shape[:2]) if found else 0.0
    cv2.putText(drawn, f"{path.stem} {agreement:.3f}", (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (225, 225, 225), 2)
    return cell(drawn)


def main() -> None:
    """Write the sheet that the command line asks for."""
    if "--outlines" in sys.argv:
        pairs = [shape(path) for path in sorted(Path(sys.argv[2]).iterdir())]
        rows = [np.hstack(pairs[i : i + 3]) for i in range(0, len(pairs), 3)]
        Image.fromarray(np.vstack(rows)).save(sys.argv[1], optimize=True)
        return
    pairs = [pair(frames) for frames in screens(sys.argv[2] if len(sys.argv) > 2 else None)]
    rows = [np.hstack(pairs[i : i + ROW]) for i in range(0, len(pairs) - len(pairs) % ROW, ROW)]
    Image.fromarray(np.vstack(rows)).save(sys.argv[1], optimize=True)


if __name__ == "__main__":
    main()
