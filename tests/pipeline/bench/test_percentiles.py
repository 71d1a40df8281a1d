import pytest

from fetalstream.pipeline.bench.percentiles import percentiles


def test_of_nothing_nothing_is_said():
    assert set(percentiles([]).values()) == {None}


def test_the_rarest_is_said_only_of_many():
    few, many = percentiles([float(x) for x in range(999)]), percentiles([float(x) for x in range(1001)])
    assert few["p99.9"] is None
    assert many == {"p50": 500.0, "p90": 900.0, "p99": 990.0, "p99.9": pytest.approx(999.0), "max": 1000.0}
