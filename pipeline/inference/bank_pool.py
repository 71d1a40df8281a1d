"""Sentences about age that lie on the device: a place for each spacing in use, so that a batch may mix them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch

from fetalstream.pipeline.model.textbank import Vectors
from fetalstream.pipeline.readout.gestation import GRID_DAYS


class BankPool:
    """A fixed number of places; the bank that was not used for longest makes room.

    Args:
        places: how many.
        dim: D, of the vectors.
        device: where they lie.

    Attributes:
        texts: (places · 175, D) float32; stays where it is in memory.
    """

    def __init__(self, places: int, dim: int, device: torch.device) -> None:
        self.texts = torch.zeros((places * GRID_DAYS.size, dim), device=device)
        self._places = places
        # By identity: banks are built once and kept. They are held here, so that no other takes their address.
        self._slots: OrderedDict[int, tuple[int, Vectors]] = OrderedDict()

    def slots(self, banks: Sequence[Vectors | None]) -> list[int | None]:
        """The place of each bank; None where there is no bank, or a batch has more of them than there are places."""
        wanted = {id(bank): bank for bank in banks if bank is not None}
        kept = dict(list(wanted.items())[: self._places])
        for key in kept:
            if key in self._slots:
                self._slots.move_to_end(key)
        for key, bank in kept.items():
            if key not in self._slots:
                self._put(key, bank)
        return [None if bank is None or id(bank) not in kept else self._slots[id(bank)][0] for bank in banks]

    def _put(self, key: int, bank: Vectors) -> None:
        slot = len(self._slots)
        if slot == self._places:
            slot = self._slots.popitem(last=False)[1][0]
        self._slots[key] = slot, bank
        days = GRID_DAYS.size
        self.texts[slot * days : (slot + 1) * days] = torch.tensor(bank, dtype=torch.float32).to(self.texts.device)
