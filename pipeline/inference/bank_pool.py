"""Gestation banks are kept on the device, one slot for each spacing in use, so that a batch may mix spacings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch

from fetalstream.pipeline.model.textbank import Vectors
from fetalstream.pipeline.readout.gestation import GRID_DAYS


class BankPool:
    """A fixed number of slots for banks; a new bank replaces the least recently used one.

    Args:
        capacity: number of slots.
        dim: D, the length of the vectors.
        device: device that holds the banks.

    Attributes:
        texts: (capacity · 175, D) float32; its address in memory never changes.
    """

    def __init__(self, capacity: int, dim: int, device: torch.device) -> None:
        self.texts = torch.zeros((capacity * GRID_DAYS.size, dim), device=device)
        self._capacity = capacity
        # Keyed by identity, since banks are built once and kept. Holding them here keeps another from getting their id.
        self._slots: OrderedDict[int, tuple[int, Vectors]] = OrderedDict()

    def slots(self, banks: Sequence[Vectors | None]) -> list[int | None]:
        """Return the slot of each bank; None for no bank, or if a batch has more banks than there are slots."""
        wanted = {id(bank): bank for bank in banks if bank is not None}
        kept = dict(list(wanted.items())[: self._capacity])
        for key in kept:
            if key in self._slots:
                self._slots.move_to_end(key)
        for key, bank in kept.items():
            if key not in self._slots:
                self._put(key, bank)
        return [None if bank is None or id(bank) not in kept else self._slots[id(bank)][0] for bank in banks]

    def _put(self, key: int, bank: Vectors) -> None:
        slot = len(self._slots)
        if slot == self._capacity:
            slot = self._slots.popitem(last=False)[1][0]
        self._slots[key] = slot, bank
        days = GRID_DAYS.size
        self.texts[slot * days : (slot + 1) * days] = torch.tensor(bank, dtype=torch.float32).to(self.texts.device)
