"""Readers of values on the command line; each raises argparse.ArgumentTypeError with what was wanted."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Final

from fetalstream.pipeline.wire import LARGEST_SPACING_MM, SMALLEST_SPACING_MM

FIRST_TRAINING_SEED: Final = 1_000_000  # as streamer.phantom.tour has it, which would load OpenCV here


def positive(text: str) -> float:
    """Read a number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text}")
    return value


def spacing(text: str) -> float:
    """Return millimetres per pixel."""
    value = positive(text)
    if not SMALLEST_SPACING_MM <= value <= LARGEST_SPACING_MM:
        bounds = f"{SMALLEST_SPACING_MM:g} to {LARGEST_SPACING_MM:g}"
        raise argparse.ArgumentTypeError(f"must be {bounds} mm per pixel, got {text}")
    return value


def depth(text: str) -> float:
    """Read a scanner's depth in centimetres."""
    depth_cm = positive(text)
    if depth_cm > 50:
        raise argparse.ArgumentTypeError(f"must be centimetres, 50 at most, got {text}")
    return depth_cm


def size(text: str) -> tuple[int, int]:
    """Read width and height in pixels, such as ``640x480``."""
    width, cross, height = text.partition("x")
    if not (
        cross and width.isdecimal() and height.isdecimal() and all(64 <= int(side) <= 8192 for side in (width, height))
    ):
        raise argparse.ArgumentTypeError(f"must be like 640x480, got {text}")
    return int(width), int(height)


def port(text: str) -> int:
    """Read a port, 0 to 65535."""
    if not (text.isascii() and text.isdigit() and int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"must be a port below 65536, got {text}")
    return int(text)


def sector(text: str) -> str | list[int]:
    """Read a rectangle ``X,Y,W,H``, or a word for another scan region."""
    if text in ("auto", "whole"):
        return text
    parts = text.split(",")
    if len(parts) != 4 or not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"must be X,Y,W,H in whole pixels, auto or whole, got {text}")
    return [int(part) for part in parts]


def count(text: str) -> int:
    """Read a whole number from 1."""
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text}")
    return int(text[:9])


def address(text: str) -> tuple[str, int]:
    """Read ``HOST:PORT``, with an IPv6 host in brackets or not."""
    host, _, number = text.rpartition(":")
    if not (host and number.isascii() and number.isdigit() and 1 <= int(number[:6]) < 65_536):
        raise argparse.ArgumentTypeError(f"must be HOST:PORT, got {text}")
    return host.strip("[]"), int(number)


def seed(text: str) -> int:
    """Read the seed of a phantom, a whole number of at most nine digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise argparse.ArgumentTypeError(f"must be a whole number of at most nine digits, got {text}")
    return int(text)


def seeds(text: str) -> list[int]:
    """Read seeds of phantoms, ``100-119`` or ``7,8``.

    Raises:
        argparse.ArgumentTypeError: no seeds, or some that models may have been trained on.
    """
    found: list[int] = []
    try:
        for part in text.split(","):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"wanted FIRST-LAST or a list of numbers, got {text!r}") from None
    if not found or not all(0 <= seed < FIRST_TRAINING_SEED for seed in found):
        raise argparse.ArgumentTypeError(f"wanted seeds from 0 to {FIRST_TRAINING_SEED - 1}, got {text!r}")
    return list(dict.fromkeys(found))


def model_file(text: str) -> Path:
    """Read the name of a model file to write, which ends in .toml."""
    if not text.endswith(".toml"):
        raise argparse.ArgumentTypeError(f"must be a file name that ends in .toml, got {text}")
    return Path(text)
