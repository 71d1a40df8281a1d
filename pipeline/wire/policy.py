"""Numbers that both ends of the wire must agree on."""

from __future__ import annotations

from typing import Final, Literal, get_args

RefilledKind = Literal["reading", "event", "keyframe"]
REFILLED: Final[tuple[str, ...]] = get_args(RefilledKind)
"""The kinds that must not be lost, and can be asked for again; all others are stale as soon as they are late."""

MESSAGES_HWM: Final = 4_000
"""Messages that may wait for one slow subscriber: seconds of eight streams, about 10 MB. What falls out is refilled."""

PREVIEWS_HWM: Final = 32
"""Well above a burst of eight streams (a smaller queue starves the last ones), and under a second of pictures."""

TEXT_CHARACTERS: Final = 500
"""Most characters of a text in a command."""

SMALLEST_SPACING_MM: Final = 0.01
"""Fewer millimetres per pixel than any scan's picture has; as `streamer.given_scale` has it."""

LARGEST_SPACING_MM: Final = 2.0
"""More millimetres per pixel than any scan's picture has; likewise."""

MIN_GAIN: Final = 0.0025
"""Share of the score by which a frame must be better: a five-hundredth nearer to the plane is worth that."""

ZOOM_STEP: Final = 1.05
"""Spacings within this factor count as one zoom."""
