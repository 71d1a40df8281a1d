"""A masker's stand-in on this side of a process border: its results are brought back to the frames they belong to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fetalstream.streamer.frame import Frame
from fetalstream.streamer.region.masker import Masked, Region, RegionEvent, SectorSetting
from fetalstream.streamer.region.sector import Rectangle


def to_message(index: int, masked: Masked, revision: int = 0) -> dict[str, Any]:
    """Return plain values of everything in ``masked`` but the frame.

    Args:
        index: of the frame, from which on the values hold.
        masked: the result of a masker.
        revision: how often the masker's sector had been set; see `RemoteMasker`.
    """
    region = masked.region
    return {
        "index": index,
        "revision": revision,
        "trouble": masked.trouble,
        "events": [[each.event, dict(each.detail)] for each in masked.events],
        "region": None
        if region is None
        else {
            "polygon": [list(corner) for corner in region.polygon],
            "rectangle": [region.rectangle.x, region.rectangle.y, region.rectangle.width, region.rectangle.height],
            "confidence": region.confidence,
            "origin": region.origin,
        },
    }


class RemoteMasker:
    """Stands for a `streamer.region.masker.Masker` in another process: frames come masked already.

    One thread may call ``receive`` while another updates. Frames that were masked before the operator's last
    ``set_sector`` are blackened: they may show what was to be hidden.

    Attributes:
        revision: counts how often the sector was set; each message names the revision that its masker knew.

    Args:
        setting: the scan region that the other masker has from the start.
        pass_on: takes another setting to the other masker.
    """

    def __init__(self, setting: SectorSetting, pass_on: Callable[[SectorSetting], object]) -> None:
        self._setting: SectorSetting = setting
        self._pass_on = pass_on
        self._messages: deque[Mapping[str, Any]] = deque()
        self._region: Region | None = None
        self._trouble: str | None = None
        self._known = 0  # the revision that the other masker knew
        self.revision = 0

    @property
    def setting(self) -> SectorSetting:
        return self._setting

    def set_sector(self, setting: SectorSetting) -> None:
        """Set another scan region, which holds from one of the next frames on."""
        self._setting = setting
        self.revision += 1
        self._pass_on(setting)

    def receive(self, message: Mapping[str, Any]) -> None:
        """Take in a message of `to_message`; it holds from the frame with its index on."""
        self._messages.append(message)

    def update(self, frame: Frame) -> Masked:
        """Return the frame with the message that holds for it, and the events of frames dropped before it."""
        events: list[RegionEvent] = []
        while self._messages and self._messages[0]["index"] <= frame.index:
            message = self._messages.popleft()
            self._region, self._trouble = _region(message["region"]), message["trouble"]
            self._known = message["revision"]
            events += [RegionEvent(name, detail) for name, detail in message["events"]]
        if self._known < self.revision:
            late = "it was captured before the sector was set"
            return Masked(replace(frame, pixels=np.zeros_like(frame.pixels)), None, tuple(events), late)
        return Masked(frame, self._region, tuple(events), self._trouble)


def _region(values: Mapping[str, Any] | None) -> Region | None:
    if values is None:
        return None
    polygon = tuple((float(x), float(y)) for x, y in values["polygon"])
    return Region(polygon, Rectangle(*values["rectangle"]), values["confidence"], values["origin"])
