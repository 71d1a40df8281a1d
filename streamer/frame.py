"""The datum that everything upstream of the model passes on: a frame of pixels with its times and its scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

SpacingFrom = Literal["source", "operator", "depth", "dicom", "igtl", "ruler", "phantom"]


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One picture of a scan, never changed after it is made.

    Attributes:
        pixels: uint8, gray ``(H, W)`` or RGB ``(H, W, 3)``, full range (0 is black, 255 is white). Read-only.
        index: counts the source's frames from 0; a gap is a dropped frame.
        pts_seconds: media time, seconds from the start of the source.
        captured_ns: monotonic clock on arrival, nanoseconds.
        epoch: grows by one whenever time jumped or the layout changed; nothing is smoothed across epochs.
        spacing_mm: millimetres per pixel of these very pixels (square pixels), or None if unknown.
        spacing_from: where ``spacing_mm`` came from; None exactly when it is None.

    Raises:
        ValueError: when an invariant above is broken; the message says what was wanted and what came.
    """

    pixels: Pixels
    index: int
    pts_seconds: float
    captured_ns: int
    epoch: int = 0
    spacing_mm: float | None = None
    spacing_from: SpacingFrom | None = None

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8:
            raise ValueError(f"pixels must be uint8, got {self.pixels.dtype}")
        if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
            raise ValueError(f"pixels must be (H, W) or (H, W, 3), got {shape}")
        if shape[0] == 0 or shape[1] == 0:
            raise ValueError(f"pixels must not be empty, got {shape}")
        if self.index < 0 or self.epoch < 0:
            raise ValueError(f"index and epoch must not be negative, got {self.index} and {self.epoch}")
        if not math.isfinite(self.pts_seconds):
            raise ValueError(f"pts_seconds must be finite, got {self.pts_seconds}")
        if (self.spacing_mm is None) != (self.spacing_from is None):
            raise ValueError("spacing_mm and spacing_from are known together or not at all")
        if self.spacing_mm is not None and not (math.isfinite(self.spacing_mm) and self.spacing_mm > 0):
            raise ValueError(f"spacing_mm must be finite and positive, got {self.spacing_mm}")
        # A view shares memory with the decoder's buffer only if the source let it: the flag stops later writers.
        self.pixels.flags.writeable = False

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    def __repr__(self) -> str:
        spacing = "unknown" if self.spacing_mm is None else f"{self.spacing_mm:.4f} mm ({self.spacing_from})"
        return (
            f"Frame(#{self.index} epoch {self.epoch}, {'x'.join(map(str, self.pixels.shape))}, "
            f"{self.pts_seconds:.3f} s, spacing {spacing})"
        )
