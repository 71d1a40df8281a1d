import json
from types import SimpleNamespace

import pytest

from fetalstream.pipeline.bench.offered_load import RATE_HZ, STREAMS, under_load
from tests.pipeline.doubles import FACTS, EncoderDouble, bank, picture

PICTURES = [picture(number) for number in range(12)]


def measured(streams, seconds=0.2, rate_hz=30.0, encoder=None):
    pipeline = SimpleNamespace(encoder=encoder or EncoderDouble(), model_info=FACTS)
    return under_load(pipeline, PICTURES, bank, streams, seconds, rate_hz)


@pytest.fixture(scope="module")
def alone():
    return measured(1)


def test_one_stream_has_all_of_its_even_share(alone):
    assert alone["streams"] == 1
    assert alone["least_share"] == 1.0


def test_latency_is_told_in_percentiles_that_grow(alone):
    latency_ms = alone["latency_ms"]
    assert 0 < latency_ms["p50"] <= latency_ms["p90"] <= latency_ms["max"]
    assert latency_ms["p99.9"] is None  # too few frames to say


def test_what_is_told_is_plain_json(alone):
    assert json.loads(json.dumps(alone, allow_nan=False)) == alone


def test_several_streams_offer_several_times_the_rate():
    found = measured(3)
    assert found["offered_fps"] == 90.0
    assert 0 < found["fps"] <= found["offered_fps"] * 1.5
    assert 0 < found["least_share"] <= 1.0


def test_the_loads_of_the_plan_grow_at_sixty_frames_a_second():
    assert RATE_HZ == 60.0
    assert list(STREAMS) == sorted(set(STREAMS))
    assert STREAMS[0] == 1
