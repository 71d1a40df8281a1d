import json

import pytest

from fetalstream.pipeline.bench.plan import run_bench
from fetalstream.pipeline.inference.encoder import Encoder
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.model.model_info import model_info_of
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.tui.commands.bench import words
from tests.pipeline.tiny import PROMPTS, tiny_model


def tiny_ready(_precision: str) -> LoadedPipeline:
    model = tiny_model()
    banks = TextBanks(model, PROMPTS, None)
    return LoadedPipeline(model, PROMPTS, banks, Encoder(model, banks), model_info_of(model, banks))


@pytest.fixture(scope="module")
def said():
    return run_bench(tiny_ready, seconds=0.1, size=(160, 120), streams=(1, 3), drawn=20)


def test_all_that_is_promised_is_said_in_one_line_of_json(said):
    line = json.loads(json.dumps(said, allow_nan=False))
    assert line["model"] == "tiny"
    assert line["precision"] == "float32"
    assert line["weights"] == "random"
    for rate in ("naive_fps", "pipeline_fps", "pipeline_fps_without_decode", "encoder_fps", "overhead_cpu_ms"):
        assert line[rate] > 0, rate
    assert line["ratio"] == pytest.approx(line["pipeline_fps"] / line["naive_fps"], rel=1e-3)
    assert 0 < line["encoder_share"] < 1
    assert line["machine"]["cores"] >= 1
    assert line["latency_ms"] == line["load"][0]["latency_ms"]


def test_under_load_every_frame_is_read_or_counted_as_dropped(said):
    for load in said["load"]:
        assert load["latency_ms"]["p99.9"] is None
        offered = load["streams"] * 12  # 0.2 s at 60 frames a second
        assert 0 < round(load["fps"] * 0.2) <= offered
        assert load["latency_ms"]["p50"] > 0


def test_it_reads_well(said):
    lines = words(said)
    assert "tiny (random weights) in float32 on cpu, 160x120" in lines[0]
    assert len(lines) == 6 + len(said["load"])
