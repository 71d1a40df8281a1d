"""Concepts are the unit vectors that the image tower is trained towards: planes, subplanes, a curve of head sizes.

`Concepts` are learnt together with the image tower, and the text tower learns them afterwards. `TextConcepts` are taken
from a trained text tower, so that the image tower can be trained again and the sentences keep their vectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.wire import OTHER
from fetalstream.streamer.growth import who_hc_mm

# Head circumference at the model's input, pixels: from a small head in a wide view to one that overfills it.
SMALLEST_HEAD_PX: Final = 40.0
LARGEST_HEAD_PX: Final = 520.0
_SIZE_STEPS: Final = 161
_SPACINGS_MM: Final = tuple(round(0.5 * 1.18**i, 2) for i in range(12))  # of the model's input, as it meets them


class ConceptVectors(Protocol):
    """Vectors that images are trained towards; planes end with "other"."""

    planes: list[str]
    subplanes: list[str]

    def plane_vectors(self) -> Tensor: ...
    def subplane_vectors(self) -> Tensor: ...
    def size_vectors(self, head_px: Tensor) -> Tensor: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...


def size_grid() -> Tensor:
    """Return ``(161,)`` head circumferences in pixels, evenly spaced in the logarithm."""
    return torch.linspace(math.log(SMALLEST_HEAD_PX), math.log(LARGEST_HEAD_PX), _SIZE_STEPS).exp()


class Concepts(nn.Module):
    """Learnt unit vectors for planes (with "other" last), subplanes, and head sizes."""

    def __init__(self, planes: Sequence[str], subplanes: Sequence[str], dim: int) -> None:
        super().__init__()
        self.planes, self.subplanes = list(planes), list(subplanes)
        self.plane_table = nn.Parameter(torch.randn(len(planes), dim))
        self.subplane_table = nn.Parameter(torch.randn(len(subplanes), dim))
        self.size_curve = nn.Sequential(nn.Linear(24, 128), nn.GELU(), nn.Linear(128, dim))

    def plane_vectors(self) -> Tensor:
        """Return the planes' unit vectors, ``(P, D)``."""
        return functional.normalize(self.plane_table, dim=-1)

    def subplane_vectors(self) -> Tensor:
        """Return the subplanes' unit vectors, ``(S, D)``."""
        return functional.normalize(self.subplane_table, dim=-1)

    def size_vectors(self, head_px: Tensor) -> Tensor:
        """Return unit vectors ``(N, D)`` of head circumferences ``(N,)`` in pixels, clipped to the curve's ends."""
        low, high = math.log(SMALLEST_HEAD_PX), math.log(LARGEST_HEAD_PX)
        t = ((head_px.log() - low) / (high - low)).clamp(0, 1)[:, None]
        waves = t * math.pi * torch.arange(1, 13)
        return functional.normalize(self.size_curve(torch.cat((waves.sin(), waves.cos()), dim=1)), dim=-1)


class TextConcepts:
    """Fixed unit vectors from a trained text tower.

    The vector of a head size is the mean, over spacings, of the sentence about the age whose median head (WHO) has that
    many pixels at the spacing.
    """

    def __init__(self, banks: TextBanks) -> None:
        if banks.other is None:
            raise ValueError('the prompts have no sentences about "other"')
        self.planes, self.subplanes = [*banks.plane_labels, OTHER], list(banks.subplane_labels)
        self._planes = torch.from_numpy(np.concatenate((banks.planes, banks.other[None])))
        self._subplanes = torch.from_numpy(banks.subplanes)
        head_mm = np.array([who_hc_mm(day / 7) for day in GRID_DAYS])
        grid = size_grid().numpy()
        total = np.zeros((len(grid), self._planes.shape[1]))
        for spacing_mm in _SPACINGS_MM:
            bank = banks.gestation(spacing_mm)
            wanted_mm = grid * spacing_mm
            inside = (wanted_mm >= head_mm[0]) & (wanted_mm <= head_mm[-1])
            nearest = np.abs(np.log(wanted_mm[:, None] / head_mm[None])).argmin(axis=1)
            total += bank[nearest] * inside[:, None]
        seen = np.flatnonzero(np.abs(total).sum(axis=1))
        at = np.array([seen[np.abs(seen - row).argmin()] for row in range(len(grid))])  # ends that no sentence reaches
        self._sizes = functional.normalize(torch.from_numpy(total[at]).float(), dim=-1)

    def plane_vectors(self) -> Tensor:
        """Return the planes' unit vectors, ``(P, D)``."""
        return self._planes

    def subplane_vectors(self) -> Tensor:
        """Return the subplanes' unit vectors, ``(S, D)``."""
        return self._subplanes

    def size_vectors(self, head_px: Tensor) -> Tensor:
        """Return unit vectors ``(N, D)`` of the sizes in `size_grid` nearest to circumferences ``(N,)`` in pixels."""
        low, high = math.log(SMALLEST_HEAD_PX), math.log(LARGEST_HEAD_PX)
        rows = ((head_px.log() - low) / (high - low) * (_SIZE_STEPS - 1)).round().long().clamp(0, _SIZE_STEPS - 1)
        return self._sizes[rows]

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return no parameters: nothing here is learnt."""
        return iter(())
