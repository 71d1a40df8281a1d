import pytest

from fetalstream.pipeline.model import precision_cache
from fetalstream.pipeline.model.precision_cache import PrecisionResult


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")


def test_what_failed_has_failed_for_those_weights_there_and_in_that_precision():
    precision_cache.save(PrecisionResult("aa", "cpu", "bfloat16", ("planes differ",)))
    precision_cache.save(PrecisionResult("bb", "cpu", "bfloat16", ()))
    assert precision_cache.has_failed("aa", "cpu", "bfloat16")
    assert not precision_cache.has_failed("bb", "cpu", "bfloat16")
    assert not precision_cache.has_failed("aa", "cuda", "bfloat16")
    assert not precision_cache.has_failed("aa", "cpu", "int8")


def test_a_later_verdict_counts_and_a_damaged_one_does_not(tmp_path):
    precision_cache.save(PrecisionResult("aa", "cpu", "bfloat16", ("planes differ",)))
    precision_cache.save(PrecisionResult("aa", "cpu", "bfloat16", ()))
    assert not precision_cache.has_failed("aa", "cpu", "bfloat16")
    precision_cache.save(PrecisionResult("aa", "cpu", "bfloat16", ("planes differ",)))
    (path,) = (tmp_path / "cache" / "verdicts").iterdir()
    path.write_text("{")
    assert not precision_cache.has_failed("aa", "cpu", "bfloat16")


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "cache").write_text("in the way")
    precision_cache.save(PrecisionResult("aa", "cpu", "bfloat16", ("planes differ",)))
    assert not precision_cache.has_failed("aa", "cpu", "bfloat16")
