"""Trunk and limbs: abdomen, four-chamber heart, kidneys, femur, spine; and the mother's cervix."""

from __future__ import annotations

import math

import numpy as np

from fetalstream.streamer.phantom.canvas import Canvas, Pose, ellipse_points
from fetalstream.streamer.phantom.fetus import Fetus

_FLUID = 5.0


def _mix(away: float, there: float, share: float) -> float:
    return away + (there - away) * share


def _slice(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, level: float, size: float = 1.0) -> float:
    """A transverse cut of the trunk with its skin, ribs and spine; returns its radius, mm."""
    r = fetus.abdomen_mm / 2 * size * math.sqrt(max(0.05, 1 - (0.42 * z) ** 2))
    flat = fetus.trait(13, 0.96, 0.04)
    canvas.blob(pose, 0, 0, r, r * flat, level * 0.85)
    canvas.blob(pose, 0, 0, r * 0.92, r * flat * 0.92, level)
    canvas.surface(pose, ellipse_points(0, 0, r, r * flat), 1.3 * fetus.scale, fetus.trait(14, 165, 25), side=0.35)
    return r


def _vertebra(canvas: Canvas, pose: Pose, fetus: Fetus, x: float, y: float, r: float) -> None:
    """Three ossification centres with the shadow that they cast."""
    for dx, dy in ((0, -0.055), (-0.075, 0.05), (0.075, 0.05)):
        spot = ellipse_points(x + dx * r, y + dy * r, 0.045 * r, 0.035 * r)
        canvas.fill(pose, spot, 215)
        canvas.surface(pose, spot, 1.2 * fetus.scale, 215, side=0.8, bone=9)


def _ribs(canvas: Canvas, pose: Pose, fetus: Fetus, r: float, count: int) -> None:
    for i in range(count):
        middle = math.pi * (0.08 + 0.84 * i / max(1, count - 1)) * (1 if i % 2 else -1) + fetus.trait(15 + i, 0, 0.25)
        arc = ellipse_points(0, 0, 0.86 * r, 0.83 * r, 0, middle - 0.2, middle + 0.2)
        canvas.surface(pose, arc, 1.7 * fetus.scale, 190, side=0.4, bone=10)


def abdomen(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """Transverse at the stomach and the umbilical vein; the spine is at the right (+x)."""
    liver = fetus.trait(16, 98, 14)
    r = _slice(canvas, pose, fetus, z, liver)
    _beside_abdomen(canvas, pose, fetus, r, z, 1 - share, liver)
    _ribs(canvas, pose, fetus, r, 3)
    _vertebra(canvas, pose, fetus, 0.74 * r, 0, r)
    canvas.blob(pose, 0.52 * r, 0.10 * r, 0.075 * r, 0.07 * r, _mix(liver, _FLUID, max(share, 0.3)))  # aorta
    if share <= 0.02:
        return
    stomach = fetus.trait(17, 1.0, 0.3)
    cut = stomach * (0.45 + 0.55 * share) * r
    canvas.blob(pose, 0.10 * r, 0.46 * r, 0.26 * cut, 0.17 * cut, _mix(liver, 1, share), 0.4)
    # The vein rises steeply through the liver: only in the plane is it seen along its length.
    vein = np.array([[-0.82, -0.04], [-0.45, -0.05], [-0.18, -0.12], [-0.02, -0.28]]) * r
    vein = vein[-1] + (vein - vein[-1]) * (0.25 + 0.75 * share)
    canvas.line(pose, vein, 0.15 * r, _mix(liver, _FLUID, share))
    canvas.line(pose, vein + np.array((0, 0.085 * r)), 0.8 * fetus.scale, _mix(liver, 165, share))
    canvas.line(pose, vein - np.array((0, 0.085 * r)), 0.8 * fetus.scale, _mix(liver, 165, share))


def _beside_abdomen(canvas: Canvas, pose: Pose, fetus: Fetus, r: float, z: float, away: float, liver: float) -> None:
    """Towards the chest more ribs and the lungs' bases, towards the pelvis loops of bowel; ``away`` of them shows."""
    if z < 0:
        for i in range(5):
            middle = math.pi * (0.16 + 0.17 * i) * (-1 if i % 2 else 1) + fetus.trait(45 + i, 0, 0.1)
            arc = ellipse_points(0, 0, 0.86 * r, 0.83 * r, 0, middle - 0.2, middle + 0.2)
            level = _mix(liver, 190, away)
            canvas.surface(pose, arc, 1.7 * fetus.scale, level, side=_mix(1, 0.4, away), bone=10 * away)
        return
    for i in range(6):
        x, y = fetus.trait(45 + i, -0.2, 0.4) * r, fetus.trait(51 + i, 0, 0.5) * r
        canvas.blob(pose, x, y, 0.15 * r, 0.10 * r, liver * _mix(1, 1.45 if i % 2 else 0.5, away), i)


def heart(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float, beat: float) -> None:
    """Transverse chest with the four chambers; ``beat`` is the phase of the cycle, radians."""
    lung = fetus.trait(18, 105, 14)
    r = _slice(canvas, pose, fetus, z, lung, 0.88)
    _ribs(canvas, pose, fetus, r, 6)
    _vertebra(canvas, pose, fetus, 0.78 * r, 0, r)
    squeeze = 1 + 0.07 * math.sin(beat)
    axis = fetus.trait(19, 0.78, 0.15)  # about 45 degrees to the left
    c, s = math.cos(axis), math.sin(axis)
    turn = np.array([[c, s], [-s, c]])
    cx, cy = -0.16 * r, 0.12 * r

    def place(x: float, y: float) -> tuple[float, float]:
        v = np.array((x, y)) @ turn * r
        return float(v[0] + cx), float(v[1] + cy)

    if z > 0:  # towards the feet: the dome of the liver and the stomach
        canvas.blob(pose, 0.25 * r, -0.45 * r, 0.36 * r, 0.22 * r, _mix(lung, 60, 1 - share), 0.5)
        canvas.blob(pose, -0.05 * r, 0.62 * r, 0.22 * r, 0.13 * r, _mix(lung, 2, 1 - share), 0.3)
    around = _mix(lung * 0.75, 84, share)
    canvas.blob(pose, *place(0, 0), 0.53 * r, 0.40 * r, around, axis)
    if z < 0:  # towards the head: the outflow tract crosses the middle
        canvas.blob(pose, *place(0.02, 0.05), 0.12 * r, 0.34 * r, _mix(around, _FLUID, 1 - share), axis)
    if share <= 0.02:
        return
    cut = 0.5 + 0.5 * share
    dark = _mix(70, 2, share)
    for x, y, rx, ry in (
        (-0.22, -0.155, 0.20, 0.12),
        (-0.22, 0.155, 0.20, 0.12),
        (0.20, -0.15, 0.15, 0.125),
        (0.20, 0.15, 0.15, 0.125),
    ):
        ventricle = squeeze if x < 0 else 2 - squeeze
        canvas.blob(pose, *place(x, y), rx * r * ventricle * cut, ry * r * ventricle * cut, dark, axis)
    septum = _mix(84, fetus.trait(20, 165, 25), share)
    canvas.line(pose, np.array([place(-0.46, 0), place(0.40, 0)]), 0.055 * r, septum)
    canvas.line(pose, np.array([place(0.02, -0.29), place(0.02, 0.29)]), 0.04 * r, septum)
    canvas.blob(pose, *place(0.02, 0), 0.05 * r, 0.05 * r, _mix(84, 205, share))  # the crux


def kidney(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """Transverse at the kidneys: one on each side of the spine, dark pelvis in a paler cortex."""
    bowel = fetus.trait(21, 100, 14)
    r = _slice(canvas, pose, fetus, z, bowel, 0.95)
    _vertebra(canvas, pose, fetus, 0.70 * r, 0, r)
    _beside_kidneys(canvas, pose, fetus, r, z, 1 - share, bowel)
    cut = 0.5 + 0.5 * share  # towards its poles a kidney is cut smaller
    for side in (-1, 1):
        x, y = fetus.trait(22, 0.36, 0.05) * r, side * 0.43 * r
        canvas.blob(pose, x, y, 0.29 * r * cut, 0.245 * r * cut, _mix(bowel, 52, share), side * 0.3)
        rim = ellipse_points(x, y, 0.29 * r * cut, 0.245 * r * cut, side * 0.3)
        canvas.line(pose, rim, 0.9 * fetus.scale, _mix(bowel, 155, share))
        pelvis = fetus.trait(23, 1.0, 0.3) * cut
        canvas.blob(
            pose, x - 0.02 * r, y - side * 0.02 * r, 0.11 * r * pelvis, 0.07 * r * pelvis, _mix(bowel, 1, share)
        )
    for i in range(5):  # bowel loops in front
        x, y = fetus.trait(24 + i, -0.42, 0.25) * r, fetus.trait(34 + i, 0, 0.45) * r
        canvas.blob(pose, x, y, 0.13 * r, 0.09 * r, bowel * (1.25 if i % 2 else 0.8), i)


def _beside_kidneys(canvas: Canvas, pose: Pose, fetus: Fetus, r: float, z: float, away: float, bowel: float) -> None:
    """Towards the head adrenals and the liver's edge, towards the feet bladder and pelvis; ``away`` of them shows."""
    if z < 0:
        canvas.blob(pose, -0.1 * r, -0.5 * r, 0.5 * r, 0.28 * r, _mix(bowel, 70, away), -0.2)
        for side in (-1, 1):
            adrenal = np.array([[0.42, 0.16], [0.25, 0.3], [0.05, 0.36]]) * (r, side * r)
            canvas.line(pose, adrenal, 1.6 * fetus.scale, _mix(bowel, 170, away))
        return
    canvas.blob(pose, -0.45 * r, 0, 0.24 * r, 0.22 * r, _mix(bowel, 2, away))
    for side in (-1, 1):
        wing = np.array([[0.55, 0.3], [0.35, 0.55], [0.1, 0.68]]) * (r, side * r)
        canvas.surface(pose, wing, 2.2 * fetus.scale, _mix(bowel, 205, away), side=_mix(1, 0.5, away), bone=9 * away)


def femur(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """The thigh bone along its whole length with both ends, its shadow below."""
    muscle = fetus.trait(24, 62, 12)
    length = fetus.femur_mm * (0.55 + 0.45 * share) / 2
    thigh = 0.36 * fetus.femur_mm
    canvas.blob(pose, 0, 0, 0.80 * fetus.femur_mm, thigh, muscle)
    canvas.surface(pose, ellipse_points(0, 0, 0.80 * fetus.femur_mm, thigh), 1.3 * fetus.scale, 150, side=0.3)
    if z < 0:  # the beam slips off into the muscle's layers on one side, to a vessel on the other
        for i in range(3):
            y = (-0.22 + 0.2 * i) * fetus.femur_mm
            layer = np.array([[-0.6, y], [0, y + fetus.trait(40 + i, 0.0, 3)], [0.6, y]]) * (fetus.femur_mm, 1)
            canvas.line(pose, layer, 1.4 * fetus.scale, _mix(muscle, 135, 1 - share))
    else:
        vessel = np.array([[-0.6, -0.14], [0.1, -0.11], [0.65, -0.16]]) * fetus.femur_mm
        canvas.line(pose, vessel, 3.0 * fetus.scale, _mix(muscle, _FLUID, 1 - share))
    bow = fetus.trait(25, 0.0, 0.05) * fetus.femur_mm
    x = np.linspace(-length, length, 14)
    shaft = np.stack((x, bow * (1 - (x / length) ** 2)), axis=1)
    thick = fetus.trait(26, 2.6, 0.5) * (0.55 + 0.45 * fetus.scale)
    canvas.surface(pose, shaft, thick, _mix(120, 240, share), side=0.55, bone=_mix(6, 22, share))
    if share > 0.02:
        for end in (-1, 1):
            canvas.blob(pose, end * length, float(shaft[0, 1]), 1.1 * thick, 0.95 * thick, _mix(muscle, 215, share))


def spine(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """The sagittal spine: two rows of ossified vertebrae under the skin, tapering to the sacrum."""
    length = 0.47 * fetus.hc_mm
    tissue = fetus.trait(27, 72, 12)
    bend = fetus.trait(28, 0.12, 0.08)
    t = np.linspace(-1, 1, 40)
    curve = np.stack((t * length / 2, bend * length * (t**2 - 0.6 * np.maximum(t, 0) ** 3)), axis=1)
    wide = 0.05 * length
    band = np.vstack((curve - np.array((0, 2.2 * wide)), (curve + np.array((0, 5.5 * wide)))[::-1]))
    canvas.fill(pose, band, tissue)
    canvas.surface(pose, curve - np.array((0, 2.2 * wide)), 1.2 * fetus.scale, 150, side=0.4)
    away = 1 - share
    if z < 0:  # beside the spine: ribs in cross-section, each with its shadow
        for i in range(3, 37, 5):
            x, y = curve[i]
            rib = ellipse_points(float(x), float(y) + 2.2 * wide, 0.04 * length, 0.012 * length)
            canvas.surface(pose, rib, 1.6, _mix(tissue, 170, away), side=_mix(1, 0.35, away), bone=14 * away)
    else:  # on the other side: long muscle, and a kidney before it
        for i in range(2):
            strand = curve + np.array((0, (-1.5 + 0.5 * i) * wide))
            canvas.line(pose, strand, 1.2 * fetus.scale, _mix(tissue, 140, away))
        canvas.blob(pose, 0.1 * length, 3.4 * wide, 0.2 * length, 1.3 * wide, _mix(tissue, 25, away))
    if share <= 0.02:
        return
    for i in range(1, 39, 2):
        taper = 1.0 if t[i] < 0.4 else 1.0 - 0.75 * (t[i] - 0.4)
        for side, level in ((-1, 225), (1, 200)):
            x, y = float(curve[i, 0]), float(curve[i, 1] + side * 0.62 * wide * taper)
            canvas.blob(pose, x, y, 0.0155 * length, 0.0135 * length, _mix(tissue, level, share))
            canvas.surface(
                pose, np.array([[x - 0.011 * length, y], [x + 0.011 * length, y]]), 1.0, _mix(tissue, level, share),
                side=0.6, bone=9 * share,
            )  # fmt: skip
    canvas.line(pose, curve, 0.5 * wide, _mix(tissue, 10, share))  # the canal


def cervix(canvas: Canvas, pose: Pose, fetus: Fetus, z: float, share: float) -> None:
    """The mother's cervix: canal in a paler cylinder between bladder and the presenting head; size not of the fetus."""
    long = fetus.trait(29, 36, 7)
    thick = fetus.trait(30, 13, 2)
    wall = fetus.trait(31, 105, 14)
    canvas.blob(pose, 0, 0, long * 0.78, thick * 1.2, wall)
    canvas.surface(pose, ellipse_points(0, 0, long * 0.78, thick * 1.2), 1.2, 140, side=0.3)
    bladder = np.array([[-0.1, -1.3], [0.35, -2.3], [0.95, -1.5], [0.5, -1.15]]) * (long, thick)
    canvas.fill(pose, bladder, 1)
    away = 1 - share
    if z < 0:  # beside the canal: vessels of the parametrium
        for i in range(4):
            x, y = fetus.trait(40 + i, 0, 0.55) * long, fetus.trait(46 + i, 0, 0.75) * thick
            canvas.blob(pose, x, y, 0.11 * long, 0.17 * thick, _mix(wall, 8, away), i)
    else:  # on the other side: gas in the bowel behind, with its shadow
        gas = ellipse_points(-0.1 * long, 0.75 * thick, 0.5 * long, 0.25 * thick, 0, math.pi, 2 * math.pi)
        canvas.surface(pose, gas, 2.0, _mix(wall, 215, away), side=_mix(1, 0.6, away), bone=9 * away)
    x = np.linspace(-0.62, 0.52, 16) * (0.35 + 0.65 * share)  # it is seen from end to end in one plane only
    canal = np.stack((x * long, fetus.trait(32, 0, 2.0) * np.sin(2.2 * x)), axis=1)
    canvas.line(pose, canal, 5.0, _mix(wall, 52, share))
    canvas.line(pose, canal, 1.1, _mix(wall, 190, share))
    if share > 0.02:  # the internal os opens on the forewaters and the head
        canvas.blob(pose, 0.72 * long, 0, 0.16 * long, 0.45 * thick, _mix(wall, 3, share))
    arc = ellipse_points(1.55 * long, 0.2 * thick, 0.75 * long, 0.75 * long, 0, 2.3, 4.0)
    canvas.surface(pose, arc, 2.2, 205, side=0.4, bone=18)
