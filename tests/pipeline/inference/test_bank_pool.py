import numpy as np
import pytest
import torch

from fetalstream.pipeline.inference.bank_pool import BankPool
from fetalstream.pipeline.readout.gestation import GRID_DAYS

DIM = 4
DAYS = GRID_DAYS.size


def bank(value):
    return np.full((DAYS, DIM), value, np.float32)


@pytest.fixture
def pool():
    return BankPool(2, DIM, torch.device("cpu"))


def held(pool, slot):
    """The value that fills a slot."""
    rows = pool.texts[slot * DAYS : (slot + 1) * DAYS]
    assert torch.equal(rows, torch.full_like(rows, float(rows[0, 0])))
    return float(rows[0, 0])


def test_each_bank_gets_a_slot_that_holds_it(pool):
    slots = pool.slots([bank(1.0), bank(2.0)])
    assert sorted(slots) == [0, 1]
    assert [held(pool, slot) for slot in slots] == [1.0, 2.0]


def test_pictures_of_one_spacing_share_a_slot_and_a_picture_without_a_bank_has_none(pool):
    one, two = bank(1.0), bank(2.0)
    slots = pool.slots([one, None, two, one])
    assert slots[0] == slots[3] != slots[2]
    assert slots[1] is None


def test_a_bank_that_is_there_is_not_copied_again(pool):
    one = bank(1.0)
    first = pool.slots([one])
    pool.texts.zero_()
    assert pool.slots([one]) == first
    assert held(pool, first[0]) == 0.0


def test_the_least_recently_used_bank_makes_room(pool):
    one, two, three = bank(1.0), bank(2.0), bank(3.0)
    (slot_of_one,), (slot_of_two,) = pool.slots([one]), pool.slots([two])
    pool.slots([one])
    assert pool.slots([three]) == [slot_of_two]
    assert pool.slots([one]) == [slot_of_one]
    assert held(pool, slot_of_one) == 1.0
    assert held(pool, slot_of_two) == 3.0


def test_a_bank_of_this_batch_does_not_make_room_for_another_of_it(pool):
    one, two, three = bank(1.0), bank(2.0), bank(3.0)
    pool.slots([one, two])
    slots = pool.slots([three, one])
    assert [held(pool, slot) for slot in slots] == [3.0, 1.0]


def test_banks_beyond_the_capacity_get_no_slot_in_this_batch_and_may_get_one_in_the_next(pool):
    banks = [bank(float(value)) for value in (1, 2, 3)]
    slots = pool.slots(banks)
    assert slots[2] is None
    assert [held(pool, slot) for slot in slots[:2]] == [1.0, 2.0]
    (slot,) = pool.slots(banks[2:])
    assert held(pool, slot) == 3.0


def test_the_texts_stay_at_their_address(pool):
    address = pool.texts.data_ptr()
    for value in range(5):
        pool.slots([bank(float(value))])
    assert pool.texts.data_ptr() == address
    assert pool.texts.shape == (2 * DAYS, DIM)


def test_banks_of_half_precision_are_widened(pool):
    (slot,) = pool.slots([bank(1.5).astype(np.float16)])
    assert pool.texts.dtype == torch.float32
    assert held(pool, slot) == 1.5
