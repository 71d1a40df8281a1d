"""What a masker in another process has said of its frames, brought back to the frames that it was said of."""

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
    """Plain values of all that a masker says beside the frame with that index; ``revision``: see `RemoteMasker`."""
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
    """Stands for a `streamer.region.masker.Masker` that works elsewhere: frames come masked already.

    One thread may call ``heard`` while another updates. Frames that were still masked in another way when the operator
    set a sector are not passed on: what they show may be what was to be hidden.

    Attributes:
        revision: counts how often the sector was set; the other masker says of each frame which it knew of.

    Args:
        setting: the scan region as the other masker has it from the start.
        pass_on: takes another one to it.
    """

    def __init__(self, setting: SectorSetting, pass_on: Callable[[SectorSetting], object]) -> None:
        self._setting: SectorSetting = setting
        self._pass_on = pass_on
        self._heard: deque[Mapping[str, Any]] = deque()
        self._region: Region | None = None
        self._trouble: str | None = None
        self._known = 0
        self.revision = 0

    @property
    def setting(self) -> SectorSetting:
        return self._setting

    def set_sector(self, setting: SectorSetting) -> None:
        """Another scan region, from one of the next frames on."""
        self._setting = setting
        self.revision += 1
        self._pass_on(setting)

    def heard(self, note: Mapping[str, Any]) -> None:
        """What `told` gave; it holds from the frame with its index on."""
        self._heard.append(note)

    def update(self, frame: Frame) -> Masked:
        """The frame as it came, with what was said of it, and the events of those that were dropped before it."""
        events: list[RegionEvent] = []
        while self._heard and self._heard[0]["index"] <= frame.index:
            note = self._heard.popleft()
            self._region, self._trouble, self._known = _region(note["region"]), note["trouble"], note["revision"]
            events += [RegionEvent(name, detail) for name, detail in note["events"]]
        if self._known < self.revision:
            late = "it was captured before the sector was set"
            return Masked(replace(frame, pixels=np.zeros_like(frame.pixels)), None, tuple(events), late)
        return Masked(frame, self._region, tuple(events), self._trouble)


def _region(values: Mapping[str, Any] | None) -> Region | None:
    if values is None:
        return None
    polygon = tuple((float(x), float(y)) for x, y in values["polygon"])
    return Region(polygon, Rectangle(*values["rectangle"]), values["confidence"], values["origin"])
