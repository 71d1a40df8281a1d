"""Views of the phantom: the body under the probe, its position, the scanner's settings; and the picture of a view."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.streamer.phantom import head, trunk
from fetalstream.streamer.phantom.beam import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    HEIGHT,
    WIDTH,
    BeamSettings,
    Layout,
    scan,
    tissue_texture,
)
from fetalstream.streamer.phantom.canvas import Canvas, Pose
from fetalstream.streamer.phantom.fetus import Fetus
from fetalstream.streamer.phantom.other import TISSUES, draw_tissue

PLANES: Final = (
    "abdomen", "brain", "femur", "heart", "kidney", "lips_nose", "profile_patient", "spine", "cervix",
)  # fmt: skip
SUBPLANES: Final = ("trans-thalamic", "trans-cerebellum", "trans-ventricular")
TISSUE_COUNT: Final = len(TISSUES)

# Plane-distances from the standard plane at which the body is out of the picture altogether.
GONE: Final = 1.5
_STILL_ALONE: Final = 1.05
_PROBE_RADIUS_MM: Final = 50.0


@dataclass(frozen=True)
class ViewSetting:
    """Depth, sector and position of the body.

    Attributes:
        spacing_mm: millimetres a pixel of the picture.
        layout: the sector at this depth.
        x_px, y_px: the body's origin on the picture, pixels.
        angle: rotation, radians.
        mirror: -1 flips left and right, else 1.
    """

    spacing_mm: float
    layout: Layout
    x_px: float
    y_px: float
    angle: float
    mirror: float


@dataclass(frozen=True)
class View:
    """Everything that decides one picture.

    Attributes:
        fetus: whose body it is.
        plane, subplane: the body in view, one of ``PLANES`` (and ``SUBPLANES`` for the brain); None for tissue alone.
        z: distance from the standard plane; 0 on it, 1 a clear miss, ``GONE`` and beyond only tissue.
        tissue: which of the other tissues lies there, below ``TISSUE_COUNT``.
        setting: depth, sector and position.
        look: the scanner's settings.
        seconds: media time, for heartbeat and drift.
        surroundings: 12 numbers in [0, 1] that place what lies round the body.
        grain, noise: offsets into the speckle field, of the tissue and of the electronics.
    """

    fetus: Fetus
    plane: str | None
    subplane: str | None
    z: float
    tissue: int
    setting: ViewSetting
    look: BeamSettings
    seconds: float
    surroundings: npt.NDArray[np.float64]
    grain: tuple[int, int]
    noise: tuple[int, int]


def extent_mm(fetus: Fetus, plane: str | None) -> float:
    """Return the length of what a sonographer would fit into the picture for this plane, mm."""
    return {
        "abdomen": fetus.abdomen_mm,
        "brain": fetus.ofd_mm,
        "femur": fetus.femur_mm * 1.25,
        "heart": fetus.abdomen_mm * 0.88,
        "kidney": fetus.abdomen_mm * 0.95,
        "lips_nose": 52 * fetus.scale,
        "profile_patient": 66 * fetus.scale,
        "spine": 0.5 * fetus.hc_mm,
        "cervix": 90.0,
    }.get(plane or "", 150.0)


def make_layout(spacing_mm: float, half_angle: float, shift_px: float, depth_share: float) -> Layout:
    """Return the convex sector of a probe of 50 mm radius at this spacing, its arc at the picture's upper edge."""
    near = _PROBE_RADIUS_MM / spacing_mm
    top = 6.0
    far = near + (HEIGHT - top) * depth_share
    return Layout(WIDTH / 2 + shift_px, top - near, near, far, half_angle)


def in_plane(z: float) -> float:
    """Return how well a view at ``z`` shows its plane: 1 on it, 0 from a plane-distance on."""
    return max(0.0, 1.0 - abs(z))


def _share(z: float) -> float:
    """Share of the plane's landmarks that shows: all of them on the plane, none from 0.7 off.

    A beam has thickness, so thin landmarks blend with their neighbours in proportion to how far off the slice lies.
    """
    return max(0.0, 1.0 - abs(z) / 0.7)


def render(view: View) -> npt.NDArray[np.uint8]:
    """Draw the picture, uint8 gray ``(480, 640)``; the same view always gives the same picture."""
    shown = 0.0 if view.plane is None else min(max((GONE - abs(view.z)) / (GONE - _STILL_ALONE), 0.0), 1.0)
    canvas = _surroundings(view)
    if shown < 1.0:
        draw_tissue(canvas, _pose(view, 1.0), view.fetus, view.tissue, view.seconds)
    if shown > 0.0:
        behind = None if shown == 1.0 else (canvas.level.copy(), canvas.bone.copy())
        _draw_body(canvas, view)
        if behind is not None:
            canvas.level = cv2.addWeighted(canvas.level, shown, behind[0], 1 - shown, 0)  # type: ignore[assignment]
            canvas.bone = cv2.addWeighted(canvas.bone, shown, behind[1], 1 - shown, 0)  # type: ignore[assignment]
    _unevenness(canvas, view)
    return scan(canvas.level, canvas.bone, view.setting.layout, view.look, view.grain, view.noise)


def _pose(view: View, size: float) -> Pose:
    return Pose(
        view.setting.x_px / 2,
        view.setting.y_px / 2,
        view.setting.angle,
        view.setting.mirror,
        size / view.setting.spacing_mm / 2,
    )


def _draw_body(canvas: Canvas, view: View) -> None:
    pose, share, fetus = _pose(view, 1.0), _share(view.z), view.fetus
    match view.plane:
        case "brain":
            head.brain(canvas, pose, fetus, view.z, share, view.subplane or SUBPLANES[0])
        case "heart":
            trunk.heart(canvas, pose, fetus, view.z, share, 2 * math.pi * 2.4 * view.seconds)  # 144 beats a minute
        case "lips_nose":
            head.lips_nose(canvas, pose, fetus, view.z, share)
        case "profile_patient":
            head.profile(canvas, pose, fetus, view.z, share)
        case _:
            draw = {
                "abdomen": trunk.abdomen, "femur": trunk.femur, "kidney": trunk.kidney, "spine": trunk.spine,
                "cervix": trunk.cervix,
            }[view.plane or ""]  # fmt: skip
            draw(canvas, pose, fetus, view.z, share)


def _surroundings(view: View) -> Canvas:
    """The mother's wall near the probe, the womb's content behind it, and fluid that the body floats in."""
    s = view.surroundings
    canvas = Canvas(CANVAS_HEIGHT, CANVAS_WIDTH, (view.setting.layout.apex_x / 2, view.setting.layout.apex_y / 2))
    canvas.level[:] = round(55 + 60 * s[0])
    px_per_mm = 1 / view.setting.spacing_mm / 2
    extent = extent_mm(view.fetus, view.plane) / 2
    body = Pose(view.setting.x_px / 2, view.setting.y_px / 2, view.setting.angle * 0.5, 1, px_per_mm)
    if s[1] > 0.3:  # a pocket of fluid, seldom all round
        shift = extent * (s[2] - 0.5)
        canvas.blob(
            body, shift, extent * 0.5 * (s[3] - 0.5), extent * (1.0 + 0.7 * s[4]), extent * (0.75 + 0.6 * s[5]), 6
        )
    for i in range(2):  # neighbours: placenta, another part of the fetus
        a = 2 * math.pi * s[6 + i]
        r = extent * (1.55 + 0.5 * s[8 + i])
        canvas.blob(body, r * math.cos(a), r * math.sin(a), extent * 0.6, extent * 0.45, 70 + 70 * s[10 - i], a)
    wall = Pose(view.setting.layout.apex_x / 2, view.setting.layout.apex_y / 2, 0, 1, 1.0)
    near = view.setting.layout.near / 2
    half = view.setting.layout.half_angle + 0.05
    for i in range(3):
        radius = near + (4 + (10 + 14 * s[9]) * i) * min(px_per_mm * 0.8, 1.6)
        arc = np.stack([
            radius * np.sin(np.linspace(-half, half, 24)), radius * np.cos(np.linspace(-half, half, 24))
        ], axis=1)  # fmt: skip
        canvas.surface(wall, arc, 1.6, 105 + 60 * s[(10 + i) % 12], side=0.5)
    return canvas


def _unevenness(canvas: Canvas, view: View) -> None:
    """Add the texture of tissue, fixed to the body; fluid and bone stay as they are."""
    pose = _pose(view, 1.0)
    c, s = math.cos(view.setting.angle) / pose.px_per_mm * 3, math.sin(view.setting.angle) / pose.px_per_mm * 3
    ox = 300 + 400 * view.surroundings[3]
    oy = 300 + 400 * view.surroundings[5]
    to_texture = np.array([[c, s, ox - c * pose.x - s * pose.y], [-s, c, oy + s * pose.x - c * pose.y]])
    texture = cv2.warpAffine(
        tissue_texture(), to_texture, (CANVAS_WIDTH, CANVAS_HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_WRAP,
    )  # fmt: skip
    level = canvas.level.astype(np.float32)
    solid = np.clip((level - 12) / 30, 0, 1) * np.clip((250 - level) / 70, 0.35, 1)
    canvas.level = np.clip(level + texture * solid * (6 + 0.13 * level), 0, 255).astype(np.uint8)
