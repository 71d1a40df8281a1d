"""The head: three axial planes of the brain, the coronal lips and nose, and the profile."""

from __future__ import annotations

import math

import numpy as np

from fetalstream.streamer.phantom.canvas import Canvas, Points, Pose, ellipse_points
from fetalstream.streamer.phantom.fetus import Fetus

_BRAIN = 46.0  # echo level of brain tissue
_FLUID = 5.0


def _mix(away: float, there: float, share: float) -> float:
    """``there`` where the plane is hit, ``away`` where it is missed."""
    return away + (there - away) * share


def _skull(canvas: Canvas, pose: Pose, fetus: Fetus, size: float) -> tuple[float, float]:
    a, b = fetus.ofd_mm / 2 * size, fetus.bpd_mm / 2 * size
    young = fetus.scale < 0.75
    canvas.blob(pose, 0, 0, a + 2.2 * fetus.scale, b + 2.2 * fetus.scale, fetus.trait(0, 60, 20))  # scalp
    canvas.blob(pose, 0, 0, a, b, fetus.trait(1, _BRAIN, 12))
    width = fetus.trait(2, 2.6, 0.6) * (0.6 + 0.4 * fetus.scale)
    # HC is measured along the outer border as it is seen: the line lies inside by half its width, which is greatest
    # where it faces the probe, and by what the beam smears it outwards.
    inside = 0.6 * width + 0.6 / pose.px_per_mm
    outline = ellipse_points(0, 0, a - inside, b - inside, start=fetus.trait(3, 0, 3.0), stop=2 * math.pi + 3)
    gaps = [0.5 + 0.3 * float(fetus.traits[4]), 0.2 + 0.1 * float(fetus.traits[5])]
    canvas.surface(
        pose, outline, width, fetus.trait(6, 238, 17), side=fetus.trait(7, 0.42, 0.16), bone=12 if young else 20,
        gaps=gaps,
    )  # fmt: skip
    return a, b


def brain(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float, subplane: str) -> None:
    """An axial view of the head at ``z`` plane-distances off; ``share`` (0 to 1) of its landmarks still show."""
    a, b = _skull(canvas, pose, fetus, math.sqrt(max(0.05, 1 - (0.42 * z) ** 2)))
    _off_plane_head(canvas, pose, fetus, a, b, z, 1 - share)
    _cortex(canvas, pose, fetus, a, b)
    if share <= 0.02:
        return
    tissue = fetus.trait(1, _BRAIN, 12)
    mid = _mix(tissue, fetus.trait(8, 165, 35), share)
    csp = -0.42 * a  # the cavum lies a third of the way from the brow
    canvas.line(pose, _polyline((-0.95 * a, 0), (csp - 0.13 * a, 0)), 0.8, mid)
    canvas.line(
        pose, _polyline((csp + 0.16 * a, 0), ((0.55 if subplane == "trans-cerebellum" else 0.93) * a, 0)), 0.8, mid
    )
    canvas.blob(pose, csp, 0, 0.13 * a, 0.075 * b * (0.4 + 0.6 * share), _mix(tissue, _FLUID, share))
    for side in (-1, 1):
        canvas.line(pose, _polyline((csp - 0.13 * a, side * 0.085 * b), (csp + 0.13 * a, side * 0.085 * b)), 0.8, mid)
    {"trans-thalamic": _thalami, "trans-ventricular": _ventricles, "trans-cerebellum": _cerebellum}[subplane](
        canvas, pose, fetus, a, b, share
    )


def _cortex(canvas: Canvas, pose: Pose, fetus: Fetus, a: float, b: float) -> None:
    """Sulci: short bright arcs near the skull, more of them with age."""
    count = int(np.clip((fetus.gestation_days - 120) / 10, 2, 14))
    for i in range(count):
        t = fetus.trait(10 + i, 0, math.pi)
        r = fetus.trait(30 + i, 0.74, 0.08)
        arc = ellipse_points(r * a * math.cos(t), r * b * math.sin(t), 0.10 * a, 0.05 * b, tilt=t + 1.2, stop=2.2)
        canvas.line(pose, arc, 0.7, fetus.trait(20 + i, 85, 25))


def _off_plane_head(canvas: Canvas, pose: Pose, fetus: Fetus, a: float, b: float, z: float, away: float) -> None:
    """Below the planes lies the skull base with its bright X, above them only hemispheres; ``away`` of it shows."""
    tissue = fetus.trait(1, _BRAIN, 12)
    if z > 0:
        for i, (sx, sy) in enumerate(((-1, -1), (-1, 1), (1, -1), (1, 1))):
            reach = min(fetus.trait(40 + i, 0.50, 0.10), 0.55)  # they end inside the skull
            bow = fetus.trait(46 + i, 0.1, 0.1)
            t = np.linspace(0.1, 1, 9)
            wing = np.stack((sx * a * reach * t, sy * b * (reach + 0.07) * (t - bow * np.sin(np.pi * t))), axis=1)
            level = _mix(tissue, fetus.trait(50 + i, 150, 30), away)
            canvas.surface(pose, wing, 1.9 * fetus.scale, level, side=_mix(1, 0.6, away), bone=9 * away)
        for side in (-1, 1):
            canvas.blob(pose, -0.60 * a, side * 0.36 * b, 0.15 * a, 0.18 * b, _mix(tissue, _FLUID, away))
        return
    for i in range(5):
        x, y = fetus.trait(40 + i, 0, 0.6) * a, fetus.trait(46 + i, 0, 0.6) * b
        arc = ellipse_points(x, y, 0.22 * a, 0.08 * b, fetus.trait(52 + i, 0, 1.5), 0, 3)
        canvas.line(pose, arc, 0.8 + 1.2 * fetus.scale, _mix(tissue, 100, away))


def _thalami(canvas: Canvas, pose: Pose, fetus: Fetus, a: float, b: float, share: float) -> None:
    tissue = fetus.trait(1, _BRAIN, 12)
    cut = 0.45 + 0.55 * share  # off their middle they are cut smaller
    for side in (-1, 1):
        heart = np.array([[-0.06, 0.03], [0.02, 0.26], [0.16, 0.32], [0.26, 0.22], [0.27, 0.03]])
        heart = heart * (a * cut, side * b * cut)
        canvas.fill(pose, heart, _mix(tissue, 16, share))
        canvas.line(pose, heart[1:], 0.7, _mix(tissue, 90, share))
        hippocampus = ellipse_points(0.42 * a, side * 0.30 * b, 0.14 * a, 0.10 * b, start=1, stop=5)
        canvas.line(pose, hippocampus, 1.0, _mix(tissue, 105, share))


def _ventricles(canvas: Canvas, pose: Pose, fetus: Fetus, a: float, b: float, share: float) -> None:
    tissue = fetus.trait(1, _BRAIN, 12)
    for side in (-1, 1):
        horn = np.array([[-0.2, 0.30], [0.25, 0.26], [0.62, 0.34], [0.7, 0.5], [0.55, 0.6], [0.2, 0.48], [-0.2, 0.42]])
        horn[:, 0] = 0.25 + (horn[:, 0] - 0.25) * (0.45 + 0.55 * share)  # above and below, the horns are shorter
        canvas.fill(pose, horn * (a, side * b), _mix(tissue, _FLUID + 4, share))
        wall = _mix(tissue, fetus.trait(9, 150, 25), share)
        canvas.line(pose, horn[:4] * (a, side * b), 0.8, wall)
        canvas.line(pose, horn[4:] * (a, side * b), 0.8, wall)
        # Choroid plexus: the bright body that fills the young ventricle.
        grown = float(np.clip(1.25 - 0.3 * fetus.scale, 0.5, 1.0))
        canvas.blob(pose, 0.32 * a, side * 0.42 * b, 0.25 * a * grown, 0.11 * b * grown, _mix(tissue, 135, share), 0.15)


def _cerebellum(canvas: Canvas, pose: Pose, fetus: Fetus, a: float, b: float, share: float) -> None:
    tissue = fetus.trait(1, _BRAIN, 12)
    wide = 0.245 * b * (0.45 + 0.55 * share)  # its width is greatest on the plane: that is how it is measured
    canvas.blob(pose, 0.80 * a, 0, 0.13 * a, 0.40 * b * (0.45 + 0.55 * share), _mix(tissue, _FLUID, share))  # cisterna
    for side in (-1, 1):
        canvas.blob(pose, 0.60 * a, side * wide, 0.155 * a, wide, _mix(tissue, 62, share))
        rim = ellipse_points(0.60 * a, side * wide, 0.155 * a, wide)
        canvas.line(pose, rim, 0.9, _mix(tissue, 140, share))
        canvas.blob(pose, 0.17 * a, side * 0.14 * b, 0.15 * a, 0.10 * b, _mix(tissue, 24, share))
    canvas.blob(pose, 0.62 * a, 0, 0.09 * a, 0.09 * b, _mix(tissue, 150, share))  # vermis


def lips_nose(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """The coronal view of the mouth and nostrils: soft curved lines on fluid."""
    s = fetus.scale * math.sqrt(max(0.05, 1 - (0.42 * z) ** 2)) * fetus.trait(33, 1.0, 0.12)
    face = fetus.trait(11, 92, 15)
    canvas.blob(pose, 0, 2 * s, 21 * s, 26 * s, _FLUID)
    away = 1 - share
    if z > 0:  # past the lips: the bony orbits
        for side in (-1, 1):
            orbit = ellipse_points(side * 14 * s, -11 * s, 5.5 * s, 5.5 * s)
            canvas.surface(pose, orbit, 1.4 * s, _mix(_FLUID, 190, away), side=_mix(1, 0.35, away), bone=12 * away)
    else:  # before them: cord or fingers in the fluid
        for i in range(4):
            x, y = fetus.trait(34 + i, 0, 17) * s, fetus.trait(40 + i, -16, 7) * s
            canvas.blob(pose, x, y, 5 * s, 3 * s, _mix(_FLUID, 95, away), i)
    canvas.blob(pose, 0, 14 * s, 14 * s, 15 * s, face * 0.8)
    canvas.blob(pose, 0, -8 * s, 10 * s, 9.5 * s, face)  # nose
    bright = _mix(face, fetus.trait(12, 195, 25), share)
    canvas.surface(pose, ellipse_points(0, -8 * s, 10 * s, 9.5 * s, 0, math.pi, 2 * math.pi), 1.3 * s, bright, side=0.7)
    for side in (-1, 1):
        canvas.blob(pose, side * 4.2 * s, -4 * s, 2.1 * s, 1.5 * s, _mix(face, 2, share))  # nostrils
        canvas.line(pose, ellipse_points(side * 8.5 * s, -4 * s, 3 * s, 4 * s, 0, -1.5, 1.5), 1.0 * s, bright)
    lip = np.array([[-12, 6], [-7, 3], [-2, 4], [0, 5], [2, 4], [7, 3], [12, 6]]) * (s * (0.4 + 0.6 * share), s)
    canvas.line(pose, lip, 2.4 * s, bright)
    canvas.line(pose, lip * (0.9, -0.5) + (0, 9.5 * s), 2.2 * s, bright)
    canvas.line(pose, _polyline((-9 * s, 6.7 * s), (9 * s, 6.7 * s)), 1.2 * s, _mix(face, 8, share))
    canvas.surface(pose, ellipse_points(0, 16 * s, 9 * s, 8 * s, 0, 0.3, 2.8), 1.4 * s, bright * 0.8, side=0.7)


def profile(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """The midsagittal face: brow, nasal bone, nose, lips and chin against fluid."""
    s = fetus.scale * math.sqrt(max(0.05, 1 - (0.42 * z) ** 2))
    face = fetus.trait(11, 88, 15)
    canvas.blob(pose, -34 * s, 4 * s, 26 * s, 36 * s, _FLUID)  # fluid before the face
    canvas.blob(pose, 0, 0, 27 * s, 24 * s, fetus.trait(1, _BRAIN, 12))
    skin = np.array([
        [2, -25], [-12, -22], [-21, -15], [-25, -6], [-25, 1], [-25.5, 4], [-29.5, 9], [-30, 11.5], [-26, 13.5],
        [-26.5, 15.5], [-29, 17.5], [-26.5, 19.5], [-28.5, 22], [-26, 24.5], [-26.5, 29], [-22, 33], [-13, 33],
        [-4, 30],
    ]) * s  # fmt: skip
    blunt = skin.copy()  # off the midline nose and lips are lost and the cheek is round
    blunt[4:16, 0] = -24 * s + 3 * s * np.linspace(0, 1, 12)
    outline = blunt + (skin - blunt) * share
    canvas.fill(pose, np.vstack((outline, [[0, 24 * s], [10 * s, 10 * s], [8 * s, -20 * s]])), face)
    canvas.blob(pose, 2 * s, -1 * s, 22 * s, 21 * s, fetus.trait(1, _BRAIN, 12))
    _beside_profile(canvas, pose, fetus, s, z, 1 - share)
    bright = fetus.trait(12, 200, 25)
    canvas.surface(pose, outline, 1.0 * s, _mix(110, bright * 0.75, share), side=0.6)
    skull = ellipse_points(2 * s, 0, 25 * s, 23 * s, 0, math.radians(165), math.radians(350))
    canvas.surface(pose, skull, 2.2 * s, bright, side=0.4, bone=18)
    bone = _mix(face, 235, share)
    canvas.surface(pose, np.array([[-24, 2.5], [-27, 8.0]]) * s, 2.2 * s, bone, side=0.85, bone=10 * share)
    canvas.surface(pose, np.array([[-25, 14], [-15, 13.5]]) * s, 2.0 * s, bone * 0.85, side=0.8, bone=8)  # palate
    canvas.surface(pose, np.array([[-24.5, 27], [-14, 25]]) * s, 2.2 * s, bone * 0.85, side=0.8, bone=8)  # mandible


def _beside_profile(canvas: Canvas, pose: Pose, fetus: Fetus, s: float, z: float, away: float) -> None:
    """To one side of the midline orbit and lens, to the other cheekbone and temple; ``away`` of them shows."""
    tissue = fetus.trait(1, _BRAIN, 12)
    if z > 0:
        canvas.blob(pose, -13 * s, -3 * s, 6 * s, 5.5 * s, _mix(tissue, _FLUID, away))
        canvas.line(pose, ellipse_points(-13 * s, -3 * s, 6 * s, 5.5 * s), 1.2 * s, _mix(tissue, 170, away))
    else:
        arch = np.array([[-18, 4], [-12, 7], [-3, 8], [5, 6]]) * s
        canvas.surface(pose, arch, 2.2 * s, _mix(tissue, 200, away), side=_mix(1, 0.7, away), bone=8 * away)


def _polyline(*points: tuple[float, float]) -> Points:
    return np.array(points, float)
