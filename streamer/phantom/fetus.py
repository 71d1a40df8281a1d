"""Fetuses: age, sizes after published growth curves, and the traits that set one apart from the next."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fetalstream.streamer.growth import ellipse_circumference_mm, hadlock_abdomen_mm, hadlock_femur_mm, who_hc_mm


@dataclass(frozen=True)
class Fetus:
    """Age, sizes and traits of one fetus.

    Attributes:
        gestation_days: age from the last menstrual period.
        hc_mm: head circumference.
        bpd_mm, ofd_mm: biparietal and occipitofrontal diameter.
        abdomen_mm: abdominal diameter.
        femur_mm: femur length.
        traits: 64 numbers in [-1, 1] that vary the anatomy.
    """

    gestation_days: float
    hc_mm: float
    bpd_mm: float
    ofd_mm: float
    abdomen_mm: float
    femur_mm: float
    traits: npt.NDArray[np.float64]

    @property
    def scale(self) -> float:
        """Size against a fetus of 20 weeks, by head circumference."""
        return self.hc_mm / 175.0

    def trait(self, index: int, middle: float, spread: float) -> float:
        """Return ``middle`` plus at most ``spread`` either way, fixed for this fetus."""
        return middle + spread * float(self.traits[index % len(self.traits)])


def make_fetus(rng: np.random.Generator, gestation_days: float | None = None) -> Fetus:
    """Draw a fetus of the given age, or of one drawn evenly from 15w0d to 34w6d.

    Head circumference is the WHO median at that age, so that head size and spacing determine the age exactly;
    abdomen and femur vary by a few percent round Hadlock's means.
    """
    days = float(rng.uniform(105, 245)) if gestation_days is None else gestation_days
    weeks = days / 7
    hc = who_hc_mm(weeks)
    index = float(np.clip(rng.normal(0.785, 0.03), 0.70, 0.87))  # cephalic index, BPD/OFD
    unit = ellipse_circumference_mm(1.0, index)
    ofd = hc / unit
    return Fetus(
        gestation_days=days,
        hc_mm=hc,
        bpd_mm=index * ofd,
        ofd_mm=ofd,
        abdomen_mm=hadlock_abdomen_mm(weeks) * float(rng.normal(1, 0.03)) / math.pi,
        femur_mm=hadlock_femur_mm(weeks) * float(rng.normal(1, 0.03)),
        traits=rng.uniform(-1, 1, 64),
    )
