"""Banks of sentences about age for live streams are built in a background thread, neighbouring spacings ahead."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict, deque
from typing import Final

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model.textbank import BuildCancelled, GestationBank, TextBanks

STEP_MM: Final = 0.01
"""Step between spacings, mm: sentences say a spacing with two decimals."""

_KEPT: Final = 64  # 0.5 MB each for FetalCLIP
_NICENESS: Final = 10


class GestationBanks:
    """Serves banks that are ready, and builds missing ones in a background thread.

    If several spacings are requested while one is being built, only the newest is built next: the others were passed
    through while somebody turned the zoom. While nothing is requested, the neighbours of the newest spacing are built
    ahead. The thread runs at low priority if the system allows it, so that frames come first.
    """

    def __init__(self, banks: TextBanks) -> None:
        self._banks = banks
        self._ready: OrderedDict[str, GestationBank] = OrderedDict()
        self._wanted: float | None = None
        self._ahead: deque[float] = deque()
        self._error: ModelError | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._build, name="gestation-banks", daemon=True)
        self._thread.start()

    def get(self, spacing_mm: float) -> GestationBank | None:
        """Return the bank of a spacing (mm per pixel), (175, D) float32, or None while it is being built.

        Raises:
            ModelError: a bank that was requested earlier could not be built.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            bank = self._ready.get(_name(spacing_mm))
            if bank is None:
                self._wanted = spacing_mm
                self._changed.notify()
            return bank

    def close(self) -> None:
        """End the thread, after the template that it is encoding."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _build(self) -> None:
        with contextlib.suppress(AttributeError, OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while (task := self._next()) is not None:
            spacing_mm, ahead = task
            try:
                bank = self._banks.gestation(spacing_mm, self._something_urgent if ahead else lambda: self._closed)
            except BuildCancelled:
                continue
            except Exception as error:  # a thread's error would be lost: the next `get` raises it
                with self._changed:
                    self._error = ModelError(f"text features of {spacing_mm:.2f} mm cannot be built: {error}")
                    return
            with self._changed:
                self._ready[_name(spacing_mm)] = bank
                if len(self._ready) > _KEPT:
                    self._ready.popitem(last=False)
                if not ahead:
                    self._ahead = deque(mm for mm in (spacing_mm + STEP_MM, spacing_mm - STEP_MM) if mm >= STEP_MM)

    def _next(self) -> tuple[float, bool] | None:
        """Wait for the next spacing to build and whether it is only built ahead; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._something_urgent() or self._ahead)
            if self._closed:
                return None
            if self._wanted is not None:
                spacing_mm, self._wanted = self._wanted, None
                return spacing_mm, False
            return self._ahead.popleft(), True

    def _something_urgent(self) -> bool:
        return self._closed or self._wanted is not None


def _name(spacing_mm: float) -> str:
    return f"{spacing_mm:.2f}"
