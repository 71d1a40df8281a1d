"""Published fetal growth curves: what size a structure has at a gestational age.

Ages are exact weeks from the last menstrual period (20w3d is 20 + 3/7), sizes are millimetres.
"""

from __future__ import annotations

import math
from typing import Final

# WHO fetal growth charts (Kiserud et al., PLoS Med 2017;14(1):e1002220), head circumference:
# ln HC = b0 + b1·t + b2·t² + b3·t³, t in weeks, by percentile.
_WHO_HC: Final = {
    2.5: (1.59317517131532, 0.29459800552433, -0.0073860372566707, 6.56951770216148e-5),
    50.0: (2.09924879247164, 0.253373656106037, -0.00605647816678282, 5.14256072059917e-5),
    97.5: (2.50074069629423, 0.220067854715719, -0.00493623111462443, 3.89066000946519e-5),
}


def who_hc_mm(weeks: float, percentile: float = 50.0) -> float:
    """Return the head circumference by the WHO charts, mm.

    Args:
        weeks: gestational age, exact weeks; the charts cover 14 to 40.
        percentile: 2.5, 50 or 97.5.

    Raises:
        KeyError: another percentile.
    """
    b0, b1, b2, b3 = _WHO_HC[percentile]
    return math.exp(b0 + b1 * weeks + b2 * weeks**2 + b3 * weeks**3)


def who_age_days(hc_mm: float) -> float:
    """Return the age at which ``hc_mm`` is the WHO median, days, found by bisection over 10 to 42 weeks.

    Sizes beyond the bracket give its ends: 70 and 294 days.
    """
    low, high = 10.0, 42.0
    for _ in range(40):  # halves 32 weeks down to well under a second
        middle = (low + high) / 2
        low, high = (middle, high) if who_hc_mm(middle) < hc_mm else (low, middle)
    return 7 * (low + high) / 2


def hadlock_age_days(hc_mm: float) -> float | None:
    """Return the age from head circumference, days; None outside 14 to 42 weeks, the ages of the fetuses measured.

    Hadlock et al., Radiology 1984;152:497-501: weeks = 8.96 + 0.540·HC + 0.0003·HC³, HC in cm.
    """
    if not 0 < hc_mm < 1000:
        return None
    hc_cm = hc_mm / 10
    weeks = 8.96 + 0.540 * hc_cm + 0.0003 * hc_cm**3
    return 7 * weeks if 14 <= weeks <= 42 else None


def intergrowth_age_days(hc_mm: float) -> float | None:
    """Return the age from head circumference by INTERGROWTH-21st, days; None outside 14 to 40 weeks.

    Papageorghiou et al., Ultrasound Obstet Gynecol 2016;48:719-726: exp(0.05970·ln²(HC) + 6.409e-9·HC³ + 3.3258), HC in
    mm.
    """
    if not 1 < hc_mm < 1000:  # below 1 mm the squared logarithm grows again
        return None
    days = math.exp(0.05970 * math.log(hc_mm) ** 2 + 6.409e-9 * hc_mm**3 + 3.3258)
    return days if 14 * 7 <= days <= 40 * 7 else None


def hadlock_abdomen_mm(weeks: float) -> float:
    """Return the mean abdominal circumference, mm. Hadlock et al., Radiology 1984;152:497-501."""
    return 10 * (-13.3 + 1.61 * weeks - 0.00998 * weeks**2)


def hadlock_femur_mm(weeks: float) -> float:
    """Return the mean femur length, mm. Hadlock et al., Radiology 1984;152:497-501."""
    return 10 * (-3.91 + 0.427 * weeks - 0.0034 * weeks**2)


def ellipse_circumference_mm(long_axis_mm: float, short_axis_mm: float) -> float:
    """Return the circumference of an ellipse, mm, by Ramanujan's second approximation (error below 1e-5 here).

    Args:
        long_axis_mm, short_axis_mm: full axes.
    """
    a, b = long_axis_mm / 2, short_axis_mm / 2
    h = ((a - b) / (a + b)) ** 2
    return math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
