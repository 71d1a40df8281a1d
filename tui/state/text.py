"""Words and numbers as people read them; every text from outside passes through ``plain`` first."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from fetalstream.pipeline.wire import NOTICE, GestationMissing

UNCALIBRATED = "UNCALIBRATED"

LABEL_WORDS = {
    "lips_nose": "lips & nose",
    "profile_patient": "profile",
    "trans-thalamic": "thalamic",
    "trans-cerebellum": "cerebellum",
    "trans-ventricular": "ventricular",
    "other": "no plane",
}

MISSING_WORDS: dict[GestationMissing, str] = {
    "no_spacing": "The scale is unknown: give the mm per pixel with --spacing",
    "not_brain": "Waiting for a steady brain plane",
    "preparing": "Preparing the age sentences for this scale",
    "uncertain": "The brain frames so far do not agree well enough",
    "out_of_range": "The head reads outside 14w0d to 38w6d",
    "model_has_none": "This model was not made to read age",
}

EVENT_WORDS = {
    "freeze": "Picture frozen",
    "unfreeze": "Picture moves",
    "signal_lost": "No scan in the picture",
    "signal_back": "The scan is back",
    "source_ended": "Source ended",
    "source_lost": "Source lost",
    "source_back": "Source is back",
    "source_failed": "Capture given up",
    "source_warning": "Source",
    "spacing_changed": "Scale",
    "clip": "Clip kept",
    "paused": "Paused",
    "resumed": "Going on",
    "sector_changed": "Scan region changed",
    "sector_unknown": "Scan region unknown",
    "layout_changed": "Screen layout changed",
    "frame_failed": "A frame failed",
    "new_exam": "New exam",
    "mark": "Mark",
    "decision": "Decision",
    "snapshot": "Snapshot",
    "asked": "Asked",
    "protocol": "Protocol",
    "exported": "Exported",
}

# Of these events only the details named are shown; of others all.
_DETAILS_SHOWN: dict[str, tuple[str, ...]] = {
    "freeze": (),
    "unfreeze": (),
    "signal_lost": (),
    "signal_back": (),
    "new_exam": (),
    "mark": ("text",),
    "snapshot": (),
    "asked": ("text",),
    "spacing_changed": ("spacing_mm",),
    "frame_failed": ("reason", "error"),
    "source_lost": ("reason",),
    "source_failed": ("reason",),
    "source_back": (),
}
_SELF_EVIDENT = ("text", "reason", "error", "plane", "sector", "protocol", "what")


def plain(value: object, limit: int = 80) -> str:
    """Return ``value`` on one line of at most ``limit`` characters, without anything a terminal could obey.

    Control, format (bidirectional overrides too), surrogate, private and unassigned characters go; white space
    becomes one blank; what is cut off is marked by ``…``.
    """
    # Far more than can be shown is never looked at: a megabyte of text must not stop the drawing.
    spaced = " ".join(str(value)[: 8 * limit + 64].split())
    kept = "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))
    return kept if len(kept) <= limit else kept[: limit - 1].rstrip() + "…"


def label_words(label: str, limit: int = 12) -> str:
    """Return a plane's or subplane's label as it is shown."""
    return plain(LABEL_WORDS.get(label, label.replace("_", " ")), limit)


def weeks_days(days: float) -> str:
    """Return days as completed weeks and days, rounded to the nearest day: 143 is ``20w3d``."""
    weeks, rest = divmod(round(days), 7)
    return f"{weeks}w{rest}d"


def span(seconds: float) -> str:
    """Return seconds in the coarsest unit that still says something: ``now``, ``12s``, ``3min``, ``2h``."""
    if seconds < 1:
        return "now"
    if seconds < 100:
        return f"{seconds:.0f}s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f}min"
    return f"{seconds / 3600:.0f}h"


def stopwatch(seconds: float) -> str:
    """Return ``m:ss``, with hours in front if there are any."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def clock(wall_time: str) -> str:
    """Return the local time of day of an RFC 3339 time; empty if it cannot be read."""
    try:
        return datetime.fromisoformat(wall_time).astimezone().strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""


def fine_print(calibrated: bool | None) -> str:
    """Return the notice, with a warning if the probabilities are known to be uncalibrated."""
    return f"{NOTICE} | {UNCALIBRATED}" if calibrated is False else NOTICE


def probability(value: float) -> str:
    """Return a probability with two decimals."""
    return f"{value:.2f}"


def event_words(event: str, detail: dict[str, object], limit: int = 60) -> str:
    """Return one line about an event, with those of its details that an operator needs."""
    words = EVENT_WORDS.get(event, event.replace("_", " "))
    shown = _DETAILS_SHOWN.get(event)
    parts = [_detail(key, value) for key, value in detail.items() if shown is None or key in shown]
    return plain(" · ".join([words, *filter(None, parts)]), limit)


def _detail(key: str, value: object) -> str:
    if key == "spacing_mm":
        return f"{value:.3f} mm/px" if isinstance(value, (int, float)) else "unknown"
    if key in _SELF_EVIDENT and isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{key} {value:.3g}"
    return f"{key} {value}" if isinstance(value, (str, int)) else ""
