"""Course of a phantom scan: the view that the probe shows at any moment. Deterministic by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from fetalstream.streamer.phantom.beam import HEIGHT, WIDTH, BeamSettings
from fetalstream.streamer.phantom.fetus import Fetus, make_fetus
from fetalstream.streamer.phantom.view import (
    GONE,
    PLANES,
    SUBPLANES,
    TISSUE_COUNT,
    View,
    ViewSetting,
    extent_mm,
    make_layout,
)

RATE_HZ: Final = 30.0
# Seeds below this one are for evaluation; whatever trains a model draws its seeds from here on.
FIRST_TRAINING_SEED: Final = 1_000_000


@dataclass(frozen=True)
class Leg:
    """A stretch of the scan at one depth setting.

    Attributes:
        start_seconds, seconds: its beginning in media time, and its length.
        plane, subplane: the body in view, None for other tissue.
        z_start, z_hold, z_end: distance from the plane on arrival, while dwelling and on leaving.
        ramp_seconds: time from ``z_start`` to ``z_hold``, and from there to ``z_end``.
        tissue: which of the other tissues lies there.
        setting: depth and place of the body.
        wander: phases of the probe's drift, radians, ``(8,)``.
        surroundings: see `streamer.phantom.view.View`.
        freeze_at: seconds into the leg at which the picture stops; None for never.
        freeze_seconds: how long it stops.
        grain: offset into the speckle field.
        epoch: grows with every change of depth or body.
    """

    start_seconds: float
    seconds: float
    plane: str | None
    subplane: str | None
    z_start: float
    z_hold: float
    z_end: float
    ramp_seconds: float
    tissue: int
    setting: ViewSetting
    wander: npt.NDArray[np.float64]
    surroundings: npt.NDArray[np.float64]
    freeze_at: float | None
    freeze_seconds: float
    grain: tuple[int, int]
    epoch: int


class Tour:
    """A scan without end: legs are drawn one after another, so that any length of it starts the same way."""

    def __init__(self, seed: int, gestation_days: float | None = None) -> None:
        self._rng = np.random.default_rng(seed)
        self.fetus: Fetus = make_fetus(self._rng, gestation_days)
        self.look = make_look(self._rng)
        self._half_angle = float(self._rng.uniform(0.48, 0.66))
        self._legs: list[Leg] = []
        self._deck: list[tuple[str, str | None]] = []
        self._epoch = 0

    def leg_at(self, seconds: float) -> Leg:
        """Return the leg that ``seconds`` of media time falls in."""
        while not self._legs or self._legs[-1].start_seconds + self._legs[-1].seconds <= seconds:
            self._extend()
        low, high = 0, len(self._legs) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._legs[middle].start_seconds <= seconds else (low, middle - 1)
        return self._legs[low]

    def view_at(self, index: int) -> View:
        """Return the view of frame ``index`` at 30 frames a second; a frozen picture is its first view again."""
        leg = self.leg_at(index / RATE_HZ)
        frame = index
        if leg.freeze_at is not None:
            first = math.ceil((leg.start_seconds + leg.freeze_at) * RATE_HZ)
            if first <= index < first + leg.freeze_seconds * RATE_HZ:
                frame = first
        return view_of(leg, self.fetus, self.look, frame / RATE_HZ, frame)

    def _extend(self) -> None:
        rng = self._rng
        start = self._legs[-1].start_seconds + self._legs[-1].seconds if self._legs else 0.0
        if not self._deck:
            self._deck = _shuffled_deck(rng)
        self._add_between(start)
        start = self._legs[-1].start_seconds + self._legs[-1].seconds
        plane, subplane = self._deck.pop()
        self._add_visit(start, plane, subplane)

    def _add_between(self, start: float) -> None:
        """Searching: other tissue, or now and then a body that is passed well off its plane."""
        rng = self._rng
        spacing = float(rng.uniform(0.16, 0.36))
        self._epoch += bool(self._legs)
        if rng.random() < 0.35:
            plane = str(rng.choice(PLANES))
            near_miss = float(rng.choice((-1, 1)) * rng.uniform(0.78, 1.0))
            self._add(start, float(rng.uniform(2.2, 3.4)), plane, _some_subplane(rng, plane), near_miss, None)
        else:
            self._add(start, float(rng.uniform(2.4, 4.0)), None, None, GONE, spacing)

    def _add_visit(self, start: float, plane: str, subplane: str | None) -> None:
        """Coming to a plane, dwelling, leaving; on some brains the depth is changed half-way."""
        rng = self._rng
        hold = float(rng.normal(0, 0.07))
        self._epoch += 1
        seconds = float(rng.uniform(2.6, 4.2))
        self._add(start, seconds, plane, subplane, hold, None, freeze=rng.random() < 0.4)
        if plane == "brain" and rng.random() < 0.5:
            self._epoch += 1
            start += seconds
            self._add(start, float(rng.uniform(1.6, 2.4)), plane, subplane, hold, None, arriving=False)

    def _add(
        self, start: float, seconds: float, plane: str | None, subplane: str | None, hold: float,
        spacing: float | None, *, freeze: bool = False, arriving: bool = True,
    ) -> None:  # fmt: skip
        rng = self._rng
        setting = draw_setting(rng, self.fetus, plane, self._half_angle, spacing)
        side = math.copysign(1.0, hold if abs(hold) > 0.3 else rng.uniform(-1, 1))
        self._legs.append(Leg(
            start_seconds=start, seconds=seconds, plane=plane, subplane=subplane,
            z_start=side * GONE if arriving else hold, z_hold=hold,
            z_end=-side * GONE if abs(hold) < 0.3 else side * GONE,
            ramp_seconds=float(rng.uniform(0.5, 0.9)), tissue=int(rng.integers(TISSUE_COUNT)),
            wander=rng.uniform(0, 2 * math.pi, 8), surroundings=rng.uniform(0, 1, 12),
            freeze_at=float(rng.uniform(1.2, 1.5)) if freeze else None, freeze_seconds=float(rng.uniform(0.6, 1.0)),
            grain=(int(rng.integers(1024)), int(rng.integers(512))), epoch=self._epoch, setting=setting,
        ))  # fmt: skip


def draw_setting(
    rng: np.random.Generator, fetus: Fetus, plane: str | None, half_angle: float, spacing_mm: float | None = None
) -> ViewSetting:
    """Draw depth, sector and resting place for a body that fills the picture as a sonographer would have it."""
    if spacing_mm is None:
        low, high = {"femur": (0.30, 0.55), "lips_nose": (0.25, 0.45), "spine": (0.45, 0.75), "cervix": (0.4, 0.7)}.get(
            plane or "", (0.38, 0.68)
        )
        spacing_mm = float(np.clip(extent_mm(fetus, plane) / (WIDTH * rng.uniform(low, high)), 0.05, 0.45))
    layout = make_layout(spacing_mm, half_angle, float(rng.normal(0, 8)), float(rng.uniform(0.9, 1.0)))
    turn = {"femur": 0.55, "spine": 0.4, "cervix": 0.35, "brain": 0.7, "profile_patient": 0.6, "lips_nose": 0.9}
    return ViewSetting(
        spacing_mm=spacing_mm,
        layout=layout,
        x_px=WIDTH / 2 + float(rng.normal(0, 22)),
        y_px=HEIGHT * 0.53 + float(rng.normal(0, 16)),
        angle=float(rng.uniform(-1, 1)) * turn.get(plane or "", math.pi),
        mirror=float(rng.choice((-1.0, 1.0))),
    )


def make_look(rng: np.random.Generator) -> BeamSettings:
    """Draw the scanner settings and the sound conduction of one examination."""
    return BeamSettings(
        grain=float(rng.uniform(9, 22)),
        fade=float(rng.uniform(0, 26)),
        gain=float(rng.uniform(1.0, 1.5)),
        gamma=float(rng.uniform(1.1, 1.7)),
        blur=float(rng.uniform(0.6, 1.3)),
    )


def view_of(leg: Leg, fetus: Fetus, look: BeamSettings, seconds: float, frame: int) -> View:
    """Return the view at ``seconds`` of media time on this leg; ``frame`` seeds the electronic noise."""
    t = seconds - leg.start_seconds
    w = leg.wander
    z = leg.z_hold + 0.09 * math.sin(1.7 * t + w[0]) + 0.04 * math.sin(4.1 * t + w[1])
    if leg.plane is None:
        z = GONE
    elif t < leg.ramp_seconds:
        z += (leg.z_start - leg.z_hold) * _ease(1 - t / leg.ramp_seconds)
    elif leg.seconds - t < leg.ramp_seconds:
        z += (leg.z_end - leg.z_hold) * _ease(1 - (leg.seconds - t) / leg.ramp_seconds)
    dx = 9 * math.sin(0.9 * t + w[2]) + 4 * math.sin(2.3 * t + w[3])
    dy = 6 * math.sin(0.7 * t + w[4]) + 3 * math.sin(1.9 * t + w[5])
    return View(
        fetus=fetus, plane=leg.plane, subplane=leg.subplane, z=z, tissue=leg.tissue,
        setting=replace(
            leg.setting, x_px=leg.setting.x_px + dx, y_px=leg.setting.y_px + dy,
            angle=leg.setting.angle + 0.07 * math.sin(0.8 * t + w[6]),
        ),
        look=look, seconds=seconds, surroundings=leg.surroundings,
        grain=(leg.grain[0] + round(0.7 * dy), leg.grain[1] + round(0.3 * dx)),
        noise=((frame * 389) % 1021, (frame * 157) % 509),
    )  # fmt: skip


def _ease(t: float) -> float:
    return t * t * (3 - 2 * t)


def _some_subplane(rng: np.random.Generator, plane: str) -> str | None:
    return str(rng.choice(SUBPLANES)) if plane == "brain" else None


def _shuffled_deck(rng: np.random.Generator) -> list[tuple[str, str | None]]:
    """All planes, the brain once for each of its subplanes, and one brain within the first three visits."""
    cards: list[tuple[str, str | None]] = [(plane, None) for plane in PLANES if plane != "brain"]
    brains: list[tuple[str, str | None]] = [("brain", str(name)) for name in rng.permutation(SUBPLANES)]
    order = [cards[i] for i in rng.permutation(len(cards))]
    order.insert(len(order) - int(rng.integers(3)), brains[0])  # cards are taken from the end
    order.insert(int(rng.integers(4, 7)), brains[1])
    order.insert(int(rng.integers(0, 3)), brains[2])
    return order
