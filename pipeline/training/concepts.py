"""Concepts are the fixed unit vectors that both towers are trained towards: planes, subplanes, a curve of head sizes.

Every plane and every subplane has an axis of its own. Head sizes lie on a curve in the axes after those: random Fourier
features with the spectrum of a Gaussian kernel over the logarithm of the circumference, so that the cosine of two sizes
depends on their ratio alone and falls to e^-½ at a ratio of `KERNEL_WIDTH`. Since nothing here is learnt, the towers
can be trained apart, and the towers of all folds answer to the same sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

# Head circumference at the model's input, pixels: from a small head in a wide view to one that overfills it.
SMALLEST_HEAD_PX: Final = 40.0
LARGEST_HEAD_PX: Final = 800.0
KERNEL_WIDTH: Final = 0.10
"""Standard deviation of the kernel, in natural logarithms of the circumference."""

_SIZE_STEPS: Final = 193
_PERIOD: Final = 1.2 * math.log(LARGEST_HEAD_PX / SMALLEST_HEAD_PX)  # the ends of the curve must not meet
_WAVES: Final = math.ceil(3 * _PERIOD / (2 * math.pi * KERNEL_WIDTH))  # to three deviations of the spectrum


def size_grid() -> Tensor:
    """Return ``(193,)`` head circumferences in pixels, evenly spaced in the logarithm."""
    return torch.linspace(math.log(SMALLEST_HEAD_PX), math.log(LARGEST_HEAD_PX), _SIZE_STEPS).exp()


class Concepts:
    """The unit vectors of a set of planes (with "other" last), subplanes, and head sizes.

    Args:
        planes: names of the planes.
        subplanes: names of the subplanes.
        dim: D, length of the vectors.

    Raises:
        ValueError: ``dim`` has too few axes.
    """

    def __init__(self, planes: Sequence[str], subplanes: Sequence[str], dim: int) -> None:
        self.planes, self.subplanes = list(planes), list(subplanes)
        self._first_of_sizes = len(planes) + len(subplanes)
        if (needed := self._first_of_sizes + 1 + 2 * _WAVES) > dim:
            raise ValueError(f"{len(planes)} planes and {len(subplanes)} subplanes need {needed} axes, got {dim}")
        self._axes = torch.eye(dim)
        waves = 2 * math.pi / _PERIOD * torch.arange(_WAVES + 1)
        power = torch.exp(-0.5 * (waves * KERNEL_WIDTH) ** 2)
        power[1:] *= 2
        self._waves, self._amplitudes = waves, (power / power.sum()).sqrt()

    def plane_vectors(self) -> Tensor:
        """Return the planes' unit vectors, ``(P, D)``."""
        return self._axes[: len(self.planes)]

    def subplane_vectors(self) -> Tensor:
        """Return the subplanes' unit vectors, ``(S, D)``."""
        return self._axes[len(self.planes) : self._first_of_sizes]

    def size_vectors(self, head_px: Tensor) -> Tensor:
        """Return unit vectors ``(N, D)`` of head circumferences ``(N,)`` in pixels, clipped to the curve's ends."""
        place = head_px.clamp(SMALLEST_HEAD_PX, LARGEST_HEAD_PX).log()[:, None] * self._waves
        curve = torch.cat((place.cos() * self._amplitudes, (place.sin() * self._amplitudes)[:, 1:]), dim=1)
        return functional.pad(curve, (self._first_of_sizes, len(self._axes) - self._first_of_sizes - curve.shape[1]))
