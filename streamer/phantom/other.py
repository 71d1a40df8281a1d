"""Tissues that a probe sees between planes: placenta, fluid, cord, limbs, the wall of the womb, poor contact."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from fetalstream.streamer.phantom.canvas import Canvas, Pose, ellipse_points
from fetalstream.streamer.phantom.fetus import Fetus

_FLUID = 5.0


def _placenta(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    wavy = np.array(
        [[x, 6 * math.sin(0.05 * x + fetus.trait(40, 0, 3)) + 0.001 * x * x] for x in range(-130, 131, 10)], float
    )
    canvas.fill(pose, np.vstack((wavy, [[150, -160], [-150, -160]])), fetus.trait(41, 112, 18))
    canvas.surface(pose, wavy, 1.0, 120, side=0.4)
    for i in range(4):
        canvas.blob(pose, fetus.trait(42 + i, 0, 60), -25 + fetus.trait(47 + i, 0, 15), 5, 3, 30, i)
    canvas.blob(pose, fetus.trait(50, 0, 40), 45, 45, 25, _FLUID, 0.3 * phase)


def _cord(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    canvas.blob(pose, 0, 0, 85, 55, _FLUID)
    t = np.linspace(0, 9, 60)
    loop = np.stack((35 * np.cos(0.7 * t + 0.1 * phase) * (0.5 + t / 14), 24 * np.sin(t) * (0.6 + t / 20)), axis=1)
    canvas.line(pose, loop, 7.5, 92)
    canvas.line(pose, loop, 3.2, 20)
    canvas.line(pose, loop + np.array((3, 3)), 1.0, 150)


def _hand(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    s = fetus.scale
    canvas.blob(pose, 0, 0, 60 * s, 42 * s, _FLUID)
    canvas.blob(pose, 10 * s, 0, 13 * s, 11 * s, 88)
    for i in range(4 + int(fetus.trait(43, 1, 1))):
        a = math.pi + (i - 2) * (0.33 + 0.06 * math.sin(phase)) + fetus.trait(44, 0, 0.3)
        for k in (1.1, 1.7, 2.2):
            p = np.array([[math.cos(a), math.sin(a)]]) * 11 * s
            joint = np.vstack((p * k, p * (k + 0.42)))
            canvas.line(pose, joint, 5 * s, 84)
            canvas.surface(pose, joint, 1.6 * s, 200, side=0.6, bone=8)


def _limb_cuts(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    canvas.blob(pose, 0, 0, 75, 45, _FLUID)
    for i in range(3):
        x, y = fetus.trait(45 + i, (i - 1) * 38, 10), fetus.trait(48 + i, 0, 18)
        r = fetus.scale * fetus.trait(51 + i, 12, 4)
        canvas.blob(pose, x, y, r, r * 0.85, 78)
        canvas.surface(pose, ellipse_points(x, y, r, r * 0.85), 1.2, 145, side=0.3)
        bone = ellipse_points(x + 0.1 * r * math.sin(phase), y, 0.22 * r, 0.2 * r)
        canvas.fill(pose, bone, 150)
        canvas.surface(pose, bone, 1.6, 225, bone=24)


def _layers(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    for i in range(7):
        y = -70 + 22 * i + fetus.trait(46 + i, 0, 7)
        x = np.linspace(-140, 140, 24)
        line = np.stack((x, y + fetus.trait(53 + i, 4, 4) * np.sin(0.03 * x + i + 0.15 * phase)), axis=1)
        canvas.fill(pose, np.vstack((line, [[140, y + 26], [-140, y + 26]])), fetus.trait(40 + i, 82, 36))
        canvas.surface(pose, line, 1.2, fetus.trait(58 + i, 130, 40), side=0.3)


def _fluid(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    canvas.blob(pose, 0, 0, 95, 60, _FLUID)
    for i in range(12):
        a = fetus.trait(40 + i, 0, math.pi) + 0.05 * phase
        r = fetus.trait(52 + i, 40, 30)
        canvas.blob(pose, r * math.cos(a), 0.6 * r * math.sin(a), 0.8, 0.6, 95)
    canvas.surface(pose, ellipse_points(0, 0, 95, 60, 0.1), 1.4, 150, side=0.3)
    canvas.blob(pose, fetus.trait(55, 0, 60), fetus.trait(56, 30, 20), 30, 22, fetus.trait(57, 95, 20), 0.4)


def _lost_contact(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    canvas.level[:] = 14
    here = Pose(canvas.level.shape[1] / 2, 0, 0, 1, pose.px_per_mm)
    for i in range(5):
        y = (9 + 11 * i) * fetus.trait(58, 1, 0.2)
        canvas.surface(here, ellipse_points(0, y - 160, 160, 160, 0, 1.0, 2.1), 1.8, 150 - 25 * i, side=0.7, bone=16)


def _shadowed(canvas: Canvas, pose: Pose, fetus: Fetus, phase: float) -> None:
    _layers(canvas, pose, fetus, phase)
    for i in range(2):
        x, y = fetus.trait(59 + i, (i - 0.5) * 70, 25), fetus.trait(61 + i, -30, 15)
        canvas.surface(pose, ellipse_points(x, y, 24, 9, fetus.trait(63, 0, 0.6), 3.3, 6.1), 2.5, 225, bone=26)


Draw = Callable[[Canvas, Pose, Fetus, float], None]
TISSUES: tuple[Draw, ...] = (_placenta, _cord, _hand, _limb_cuts, _layers, _fluid, _lost_contact, _shadowed)


def draw_tissue(canvas: Canvas, pose: Pose, fetus: Fetus, which: int, phase: float) -> None:
    """Draw tissue number ``which`` of ``TISSUES``; ``phase`` (radians) lets it move."""
    TISSUES[which](canvas, pose, fetus, phase)
