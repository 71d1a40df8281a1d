"""Draws anatomy in millimetres onto a map of echo levels and a map of attenuation, as the beam will meet them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]  # (N, 2): x to the right, y down, millimetres in the body's own axes

_SHIFT = 4  # OpenCV draws with this many fractional bits
_ONE = 1 << _SHIFT


@dataclass(frozen=True)
class Pose:
    """Position and orientation of a body on the canvas.

    Attributes:
        x, y: the body's origin, canvas pixels.
        angle: rotation, radians, clockwise on the screen.
        mirror: -1 flips left and right, else 1.
        px_per_mm: canvas pixels per millimetre.
    """

    x: float
    y: float
    angle: float
    mirror: float
    px_per_mm: float

    def to_canvas(self, points: Points) -> Points:
        """Convert millimetres ``(N, 2)`` to canvas pixels ``(N, 2)``."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        x, y = points[:, 0] * self.mirror, points[:, 1]
        return np.stack(
            (self.x + self.px_per_mm * (c * x - s * y), self.y + self.px_per_mm * (s * x + c * y)),
            axis=1,
        )


def ellipse_points(
    x: float, y: float, rx: float, ry: float, tilt: float = 0.0, start: float = 0.0, stop: float = 2 * math.pi
) -> Points:
    """Return an arc of an ellipse, millimetres ``(N, 2)``; angles in radians, from the +x axis towards +y."""
    steps = max(8, round(56 * abs(stop - start) / (2 * math.pi)))
    t = np.linspace(start, stop, steps)
    c, s = math.cos(tilt), math.sin(tilt)
    u, v = rx * np.cos(t), ry * np.sin(t)
    return np.stack((x + c * u - s * v, y + s * u + c * v), axis=1)


class Canvas:
    """Echo levels (0 nothing to 255 strongest) and attenuation (0 none to 255 bone) of one view, both uint8 ``(h, w)``.

    ``probe`` is the virtual apex of the beams in canvas pixels: surfaces that face it shine, others fade.
    """

    def __init__(self, height: int, width: int, probe: tuple[float, float]) -> None:
        self.level = np.zeros((height, width), np.uint8)
        self.bone = np.zeros((height, width), np.uint8)
        self._probe = np.array(probe)

    def fill(self, pose: Pose, points: Points, level: float) -> None:
        """Draw a filled outline."""
        cv2.fillPoly(self.level, [_fixed(pose.to_canvas(points))], _gray(level), cv2.LINE_AA, _SHIFT)

    def blob(self, pose: Pose, x: float, y: float, rx: float, ry: float, level: float, tilt: float = 0.0) -> None:
        """Draw a filled ellipse."""
        self.fill(pose, ellipse_points(x, y, rx, ry, tilt), level)

    def line(self, pose: Pose, points: Points, width_mm: float, level: float) -> None:
        """Draw a line of even brightness."""
        thickness = max(1, round(width_mm * pose.px_per_mm))
        cv2.polylines(self.level, [_fixed(pose.to_canvas(points))], False, _gray(level), thickness, cv2.LINE_AA, _SHIFT)

    def surface(
        self,
        pose: Pose,
        points: Points,
        width_mm: float,
        level: float,
        *,
        side: float = 0.35,
        bone: float = 0.0,
        gaps: Sequence[float] = (),
    ) -> None:
        """Draw a reflecting surface: brightest where it faces the probe, ``side`` of that where it runs along the beam.

        ``bone`` (0 to 255) attenuates what lies behind; ``gaps`` are fractions of the way along that are left out.
        """
        canvas = pose.to_canvas(points)
        a, b = canvas[:-1], canvas[1:]
        along = b - a
        beam = (a + b) / 2 - self._probe
        cross = np.abs(along[:, 0] * beam[:, 1] - along[:, 1] * beam[:, 0])
        norm = np.hypot(*along.T) * np.hypot(*beam.T) + 1e-9
        sine = np.abs(np.sum(along * beam, axis=1)) / norm
        facing = np.clip(cross / norm, 0, 1) * (1 - 0.2 * sine)
        # Facing is 1 where the surface is square to the beam: that is where a real skull is thick and white.
        strength = level * (side + (1 - side) * facing**2.5)
        thickness = np.maximum(1, np.rint(width_mm * pose.px_per_mm * (0.7 + 0.5 * facing))).astype(int)
        fixed_a, fixed_b = _fixed(a), _fixed(b)
        count = len(a)
        for i in range(count):
            if any(abs(i / count - gap) < 0.025 for gap in gaps):
                continue
            p, q = tuple(fixed_a[i].tolist()), tuple(fixed_b[i].tolist())
            cv2.line(self.level, p, q, _gray(float(strength[i])), int(thickness[i]), cv2.LINE_AA, _SHIFT)
            if bone:
                cv2.line(self.bone, p, q, _gray(bone), int(thickness[i]), cv2.LINE_AA, _SHIFT)


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    return np.rint(np.clip(points, -4000, 4000) * _ONE).astype(np.int32)


def _gray(level: float) -> tuple[float]:
    return (float(np.clip(level, 0, 255)),)
