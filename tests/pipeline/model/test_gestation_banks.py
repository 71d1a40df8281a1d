import threading

import numpy as np
import pytest

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model import textbank
from fetalstream.pipeline.model.gestation_banks import GestationBanks
from fetalstream.pipeline.model.textbank import BuildCancelled, TextBanks
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from tests.pipeline.tiny import PROMPTS, tiny_model
from tests.waiting import until


def test_a_live_bank_is_none_until_it_is_built(monkeypatch):
    monkeypatch.setattr(textbank, "GRID_DAYS", GRID_DAYS[::25])
    banks = TextBanks(tiny_model(), PROMPTS, None)
    live = GestationBanks(banks)
    try:
        assert live.get(0.5) is None
        until(lambda: live.get(0.5) is not None)
        np.testing.assert_array_equal(live.get(0.5), banks.gestation(0.5))
    finally:
        live.close()


class SlowBanks:
    """Builds one bank at a time, each when it is let go; gives up when it is told to."""

    def __init__(self):
        self.begun = []
        self.given_up = []
        self.go = threading.Semaphore(0)

    def gestation(self, spacing_mm, is_cancelled):
        self.begun.append(round(spacing_mm, 2))
        while not self.go.acquire(timeout=0.01):
            if is_cancelled():
                self.given_up.append(round(spacing_mm, 2))
                raise BuildCancelled
        if spacing_mm > 8:
            raise ValueError("no such spacing")
        return np.zeros((175, 2), dtype=np.float32)


@pytest.fixture
def slow():
    return SlowBanks()


@pytest.fixture
def live(slow):
    banks = GestationBanks(slow)
    yield banks
    banks.close()


def test_spacings_passed_through_while_zooming_are_left_out(slow, live):
    live.get(0.1)
    until(lambda: slow.begun == [0.1])
    for spacing in (0.2, 0.3, 0.4):
        assert live.get(spacing) is None
    slow.go.release(2)
    until(lambda: live.get(0.4) is not None)
    assert slow.begun[:2] == [0.1, 0.4]


def test_neighbours_are_built_ahead_and_given_up_for_what_is_asked_for(slow, live):
    live.get(0.4)
    slow.go.release(2)
    until(lambda: len(slow.begun) == 3)
    assert slow.begun == [0.4, 0.41, 0.39]
    assert live.get(0.41) is not None
    assert live.get(0.9) is None
    until(lambda: slow.begun[-1] == 0.9)
    assert slow.given_up == [0.39]


def test_a_bank_that_cannot_be_built_is_told_to_the_next_who_asks(slow, live):
    slow.go.release()
    live.get(9.0)

    def told():
        try:
            return live.get(9.0) is not None
        except ModelError as error:
            return "no such spacing" in str(error)

    until(told)
