"""A scan region's shape: two straight edges, two arcs about the point where the edges meet, cut off by a window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

FanKind = Literal["convex", "phased", "linear", "trapezoid"]
Point = tuple[float, float]

_ARC_POINTS: Final = 24
_PARALLEL: Final = math.radians(1.5)  # between the edges: below this there is no apex to speak of


@dataclass(frozen=True)
class Fan:
    """A scan region of a probe, in pixels.

    Attributes:
        left, right: x of the straight edges at the window's top and at its bottom.
        near, far: y of the arcs straight below the apex; of level lines where the edges are parallel.
        window: left, top, right, bottom.
    """

    left: Point
    right: Point
    near: float
    far: float
    window: tuple[float, float, float, float]

    def polygon(self) -> list[Point]:
        """Return the region's outline; empty if the window leaves nothing of it."""
        _, top, _, bottom = self.window
        high = max(bottom - top, 1e-6)
        slopes = [(edge[1] - edge[0]) / high for edge in (self.left, self.right)]
        angles = [math.atan(slope) for slope in slopes]
        if angles[1] - angles[0] < _PARALLEL:
            points = self._straight(slopes)
        else:
            meet = (self.left[0] - self.right[0]) / (slopes[1] - slopes[0])  # below the top
            apex = (self.left[0] + slopes[0] * meet, top + meet)
            points = _arc(apex, self.near - apex[1], angles) + _arc(apex, self.far - apex[1], angles[::-1])
        return clipped(points, self.window)

    def _straight(self, slopes: list[float]) -> list[Point]:
        top = self.window[1]
        ends = [(edge[0] + slope * (y - top), y) for y in (self.near, self.far)
                for edge, slope in ((self.left, slopes[0]), (self.right, slopes[1]))]  # fmt: skip
        return [ends[0], ends[1], ends[3], ends[2]]

    def kind(self) -> FanKind:
        """Return the kind of probe that draws such a region, as far as the outline tells."""
        left, top, right, bottom = self.window
        slopes = [(edge[1] - edge[0]) / max(bottom - top, 1e-6) for edge in (self.left, self.right)]
        if math.atan(slopes[1]) - math.atan(slopes[0]) < math.radians(6):
            return "linear"
        upper = [x for x, y in self.polygon() if y < top + 0.03 * (bottom - top)]
        if upper and max(upper) - min(upper) < 0.08 * (right - left):
            return "phased"
        corners = self.polygon()
        sag = self.near - min((y for _, y in corners), default=self.near)  # the near arc's middle lies below its ends
        return "convex" if sag > 0.01 * (bottom - top) or slopes[1] - slopes[0] > 0.75 else "trapezoid"


def _arc(apex: Point, radius: float, angles: list[float]) -> list[Point]:
    radius = max(radius, 0.0)
    turns = [angles[0] + (angles[1] - angles[0]) * i / (_ARC_POINTS - 1) for i in range(_ARC_POINTS)]
    return [(apex[0] + radius * math.sin(turn), apex[1] + radius * math.cos(turn)) for turn in turns]


def clipped(points: list[Point], window: tuple[float, float, float, float]) -> list[Point]:
    """Clip an outline by a window (Sutherland and Hodgman, Communications of the ACM 17, 1974)."""
    left, top, right, bottom = window
    for axis, edge, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        kept: list[Point] = []
        for i, b in enumerate(points):
            a = points[i - 1]
            before, here = sign * (a[axis] - edge), sign * (b[axis] - edge)
            if (before >= 0) != (here >= 0):
                share = before / (before - here)
                kept.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
            if here >= 0:
                kept.append(b)
        points = kept
    return points
