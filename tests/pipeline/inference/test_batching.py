from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.inference.batching import BATCH_SECONDS, SIZES, RoundRobin, largest_size, padded_size


def takes_of(queues):
    return [lambda queue=queue: queue.popleft() if queue else None for queue in queues]


def queues_of(lengths):
    return [deque((stream, n) for n in range(length)) for stream, length in enumerate(lengths)]


def gathered(turns, queues, pictures=8, most=100):
    return turns.gather(takes_of(queues), lambda _: True, pictures, most)


@given(st.integers(1, SIZES[-1]))
def test_a_batch_is_padded_to_the_next_size_and_no_further(pictures):
    size = padded_size(pictures)
    assert pictures <= size < 2 * pictures or size == 1


def test_more_than_the_largest_size_is_a_mistake():
    with pytest.raises(ValueError, match="at most 32"):
        padded_size(33)


@pytest.mark.parametrize(
    ("seconds", "most", "size"),
    [(None, 16, 16), (0.001, 16, 16), (0.001, 11, 8), (0.24, 16, 2), (0.9, 16, 1), (9, 1, 1)],
)
def test_a_batch_takes_no_longer_than_others_can_wait(seconds, most, size):
    assert largest_size(seconds, most) == size
    assert size == 1 or seconds is None or size * seconds <= BATCH_SECONDS


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(1, 32))
def test_nothing_is_lost_and_each_stream_stays_in_order(lengths, pictures):
    queues, turns, taken = queues_of(lengths), RoundRobin(), []
    while batch := gathered(turns, queues, pictures):
        assert len(batch) <= pictures
        taken += batch
    for stream, length in enumerate(lengths):
        assert [n for who, n in taken if who == stream] == list(range(length))


@given(st.integers(2, 9), st.integers(1, 32), st.integers(1, 20))
def test_streams_that_always_wait_get_equal_shares(streams, pictures, rounds):
    queues, turns = queues_of([pictures * rounds] * streams), RoundRobin()
    taken = [who for _ in range(rounds) for who, _ in gathered(turns, queues, pictures)]
    shares = [taken.count(stream) for stream in range(streams)]
    assert max(shares) - min(shares) <= 1


def test_one_of_several_streams_leaves_half_of_a_batch_to_the_others():
    queues, turns = queues_of([100, 0]), RoundRobin()
    assert len(gathered(turns, queues)) == 4
    assert len(gathered(RoundRobin(), queues[:1])) == 8


def test_what_needs_no_model_takes_no_room():
    queue = deque([("reuse", n) for n in range(6)] + [("analyse", n) for n in range(6)])
    batch = RoundRobin().gather(takes_of([queue]), lambda one: one[0] == "analyse", 4, 100)
    assert [kind for kind, _ in batch].count("analyse") == 4
    assert len(batch) == 10
