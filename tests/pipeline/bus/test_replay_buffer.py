import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.bus.replay_buffer import REPLY_BYTES, ReplayBuffer


def test_what_came_after_is_given_in_order() -> None:
    ring = ReplayBuffer()
    for seq in range(5):
        ring.add("reading", "stream-1", seq, b"%d" % seq)
    assert ring.since("reading", "stream-1", -1).headers == [b"0", b"1", b"2", b"3", b"4"]
    assert ring.since("reading", "stream-1", 2) == ([b"3", b"4"], 0, 4, False)
    assert ring.since("reading", "stream-1", 9).headers == []
    assert ring.since("reading", "stream-2", -1) == ([], None, None, False)


def test_other_kinds_are_not_kept() -> None:
    ring = ReplayBuffer()
    ring.add("preview", "stream-1", 0, b"")
    with pytest.raises(KeyError):
        ring.since("preview", "stream-1", -1)


def test_a_long_answer_comes_in_pieces() -> None:
    ring = ReplayBuffer()
    for seq in range(20):
        ring.add("reading", "stream-1", seq, bytes(REPLY_BYTES // 8))
    got: list[bytes] = []
    more = True
    while more:
        refill = ring.since("reading", "stream-1", len(got) - 1)
        assert sum(map(len, refill.headers)) <= REPLY_BYTES
        got += refill.headers
        more = refill.more
    assert len(got) == 20


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 400)), max_size=200))
def test_memory_is_bounded_and_what_is_left_has_no_gap(sent: list[tuple[str, int]]) -> None:
    ring = ReplayBuffer(8_000)
    counts = {"a": 0, "b": 0, "c": 0}
    for stream, size in sent:
        ring.add("reading", stream, counts[stream], b"%d:" % counts[stream] + random.Random(size).randbytes(size))
        counts[stream] += 1
    held = {stream: ring.since("reading", stream, -1) for stream in counts}
    assert sum(len(header) for refill in held.values() for header in refill.headers) <= 8_000
    for stream, refill in held.items():
        numbers = [int(header.partition(b":")[0]) for header in refill.headers]
        assert numbers == list(range(counts[stream] - len(numbers), counts[stream]))
        if numbers:
            assert (refill.oldest, refill.newest) == (numbers[0], numbers[-1])


def test_five_minutes_of_four_streams_at_thirty_frames_a_second_are_held() -> None:
    ring, draw = ReplayBuffer(), random.Random(0)
    headers = [json.dumps({f"label {n}": draw.random() for n in range(64)}).encode() for _ in range(50)]
    assert min(map(len, headers)) > 1_900  # as long as a reading, and as hard to pack
    for seq in range(5 * 60 * 30):
        for stream in "abcd":
            ring.add("reading", stream, seq, headers[seq % 50])
    assert {ring.since("reading", stream, -1).oldest for stream in "abcd"} == {0}


def test_readings_never_push_out_events() -> None:
    ring = ReplayBuffer(20_000)
    ring.add("event", "stream-1", 0, b"mark")
    for seq in range(1_000):
        ring.add("reading", "stream-1", seq, bytes(500))
    assert ring.since("event", "stream-1", -1).headers == [b"mark"]
