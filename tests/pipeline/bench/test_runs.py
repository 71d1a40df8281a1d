import itertools

import numpy as np
import pytest
import torch

from fetalstream.pipeline import wire
from fetalstream.pipeline.bench import runs
from fetalstream.pipeline.bench.film import InMemory
from fetalstream.pipeline.bench.runs import (
    CountingSink,
    EncoderWithoutTower,
    TimedEncoder,
    TimeLimited,
    encoder_fps,
    overhead_cpu_ms,
    pipeline_fps,
)
from fetalstream.pipeline.inference.encoder import Item
from tests.pipeline.bench.test_plan import tiny_ready
from tests.pipeline.doubles import EncoderDouble, picture

PICTURES = [picture(number) for number in range(20)]


@pytest.fixture(scope="module")
def pipeline():
    return tiny_ready("")


def no_bank(_spacing_mm):
    return None


def reading(stream, total, *, reused=False, dropped=0):
    frame = wire.FrameInfo(index=0, epoch=0, pts_seconds=0.0, captured_ns=0)
    return wire.Reading(
        stream=stream, exam="", frame=frame, state="live", reused=reused, planes={}, plane=None, subplanes=None,
        subplane=None, gestation=None, gestation_missing=None, quality=None, ask=None,
        latency_ms=wire.Latency(total=total), model="m", calibrated=True, dropped=dropped,
    )  # fmt: skip


def test_a_sink_counts_what_was_analysed_and_not_what_repeats():
    sink = CountingSink()
    sink.send(reading("a", 5.0))
    sink.send(reading("a", 7.0, dropped=3))
    sink.send(reading("b", None))
    sink.send(reading("a", 1.0, reused=True))
    assert sink.by_stream == {"a": 2, "b": 1}
    assert sink.totals_ms == [5.0, 7.0]
    assert sink.dropped == {"a": 3, "b": 0}


def test_a_timed_encoder_adds_up_its_batches():
    double = EncoderDouble()
    timed = TimedEncoder(double)
    pending = [timed.submit([Item(PICTURES[0])] * count) for count in (2, 3)]
    assert timed.images == 5
    assert timed.encode_ms == 0
    results = [each.result() for each in pending]
    assert [len(outputs) for outputs in results] == [2, 3]
    assert timed.encode_ms == 4.0  # 2 ms each, as the double says
    assert (pending[0].queue_ms, pending[0].preprocess_ms, pending[0].encode_ms) == (0.5, 1.0, 2.0)
    assert (timed.batch, timed.live_batches) == (8, 1)
    assert pending[0].wait(0.0)


def test_batches_without_a_tower_keep_their_own_pictures(pipeline):
    """Several are on the way at once: one must not answer for another."""
    encoder = EncoderWithoutTower(pipeline)
    bank = np.random.default_rng(0).standard_normal((175, 16)).astype(np.float32)
    first = encoder.submit([Item(PICTURES[0]), Item(PICTURES[1], bank)])
    second = encoder.submit([Item(PICTURES[2])])
    assert first is not second
    assert second.wait(0.0)
    assert [None if each.gestation_row is None else len(each.gestation_row) for each in first.result()] == [None, 175]
    assert len(second.result()) == 1


def test_without_a_tower_every_picture_has_the_same_unit_vector(pipeline):
    outputs = EncoderWithoutTower(pipeline).submit([Item(pixels) for pixels in PICTURES[:3]]).result()
    vectors = np.stack([each.embedding for each in outputs])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(vectors, np.tile(vectors[0], (3, 1)))


def test_a_limited_source_ends_with_the_time_and_is_otherwise_its_source(monkeypatch):
    times_s = itertools.count(0.0, 0.125)
    monkeypatch.setattr(runs.time, "perf_counter", lambda: next(times_s))
    source = InMemory(PICTURES, 30.0)
    limited = TimeLimited(source, 1.0)
    assert len(list(limited)) == 8
    assert (limited.rate_hz, limited.kind) == (30.0, "phantom")


def test_a_limited_source_may_end_before_the_time():
    assert len(list(TimeLimited(InMemory(PICTURES, 30.0, count=3), 100.0))) == 3


def test_the_encoder_is_measured_in_pictures_of_full_batches(pipeline):
    assert encoder_fps(pipeline, PICTURES, 0.01, batch=4) > 0


def test_the_pipelines_rate_and_the_encoders_share_of_it(pipeline):
    fps, share = pipeline_fps(pipeline, InMemory(PICTURES, 30.0, count=20), no_bank, 10.0)
    assert fps > 0
    assert 0 < share < 1


def test_overhead_is_measured_on_one_thread_that_is_given_back(pipeline):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        spent_ms = overhead_cpu_ms(pipeline, InMemory(PICTURES, 30.0, count=20), no_bank, frames=20)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert 0 < spent_ms < 1000
