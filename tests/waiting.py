"""Waiting for what happens elsewhere, without sleeping for luck."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], within_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"it did not happen within {within_s} s"
        time.sleep(0.005)
