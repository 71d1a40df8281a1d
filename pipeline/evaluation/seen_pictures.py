"""Pictures that a bundled model was trained on are told by their content, so that nothing is judged on them unawares.

The content of a picture is its difference hash: shrunk to 17 by 16 pixels, one bit for each pixel that is brighter than
its right neighbour (N. Krawetz, "Kind of like that", 2013). It stays nearly the same when a picture is resized or
compressed anew, whatever its file is called.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.errors import ConfigError

Bits = npt.NDArray[np.uint8]

_SIDE: Final = 16
_SAME_BITS: Final = 16
"""Differing bits, of 256, up to which two pictures are one. Of HC18's pictures, half-size copies differ from the
originals in at most 1, copies compressed to JPEG of quality 60 in at most 11, and pictures of different exams in 25
and more."""


def difference_hash(pixels: npt.NDArray[np.uint8]) -> Bits:
    """Return the 256 bits of a gray picture (H, W), packed into 32 bytes."""
    small = cv2.resize(pixels, (_SIDE + 1, _SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.packbits(small[:, :-1] > small[:, 1:])


class SeenPictures:
    """The pictures that a model was trained on.

    Args:
        hashes: their difference hashes.
    """

    def __init__(self, hashes: Iterable[Bits]) -> None:
        self._hashes = np.array(list(hashes), np.uint8).reshape(-1, _SIDE * _SIDE // 8)

    def __len__(self) -> int:
        return len(self._hashes)

    def holds(self, path: Path) -> bool:
        """Return whether the model was trained on this picture.

        Raises:
            ConfigError: the file is missing or is no picture.
        """
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            raise ConfigError(f"{path}: missing, or not an image")
        other = np.bitwise_count(self._hashes ^ difference_hash(pixels.astype(np.uint8))).sum(axis=1, dtype=np.int32)
        return bool((other <= _SAME_BITS).any())


def seen_by(bundled: str) -> SeenPictures:
    """Read the list beside a bundled weights file: one hash in hex a line, after lines that begin with ``#``.

    Raises:
        ConfigError: there is no such list.
    """
    name = Path(bundled).with_suffix(".seen.txt").name
    file = importlib.resources.files("fetalstream.pipeline.weights") / name
    if not file.is_file():
        raise ConfigError(f"{name} is missing beside the weights: nobody knows what {bundled} was trained on")
    lines = file.read_text(encoding="utf-8").splitlines()
    return SeenPictures(np.frombuffer(bytes.fromhex(line), np.uint8) for line in lines if line and line[0] != "#")
