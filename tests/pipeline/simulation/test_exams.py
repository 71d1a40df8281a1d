import json
from dataclasses import replace

import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import load_pipeline
from fetalstream.pipeline.readout.gestation import GRID_DAYS, ExamGestation
from fetalstream.pipeline.simulation.exam_run import brain_frames_of, exam_days, replayed
from fetalstream.pipeline.simulation.exams import ExamFrame, exam_metrics, read_exam_frames, write_exam_frames
from fetalstream.pipeline.stream.interpreter import Interpreter
from fetalstream.pipeline.stream.preparation import Preparation
from fetalstream.pipeline.stream.probabilities import probabilities_of
from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.tui.cli import main


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline("mini", device="cpu")


@pytest.fixture(scope="module")
def exam(pipeline):
    return brain_frames_of(2001, pipeline)


def frame(exam, days, *, true=150.0, truth="brain", half=5.0, alone=None, zooms=2):
    told = (None,) * 5 if days is None else (days, days - half, days + half, alone or days, zooms)
    return ExamFrame(exam, 0, true, truth, 0.6, *told)


def test_what_is_said_at_the_end_is_judged_and_frames_are_by_themselves():
    first = [frame(1, 180), frame(1, 152, alone=160)]
    rows = [*first, frame(2, 160, truth="", zooms=3), frame(3, None), frame(4, 200, true=203)]
    found = exam_metrics(rows)
    assert found["dated"].value == 0.75
    assert found["median_error_days"].value == 3
    assert found["single_frame_median_error_days"].value == 10
    assert found["on_plane_frame_mean_error_days"].value == pytest.approx((30 + 10 + 3) / 3)
    assert found["interval_coverage"].value == pytest.approx(2 / 3)
    assert found["interval_coverage_third_trimester"].value == 1.0
    assert found["interval_coverage_3_zooms"].value == 0.0
    assert found["half_width_days"].value == 5


def test_ages_are_spread_over_all_days():
    days = [exam_days(seed) for seed in range(2000, 2240)]
    assert min(days) <= GRID_DAYS[2]
    assert max(days) >= GRID_DAYS[-3]
    assert [sum(98 + 35 * k <= day < 133 + 35 * k for day in days) for k in range(5)] == pytest.approx([48] * 5, abs=2)


def test_an_examination_is_read_by_the_product(pipeline, exam):
    last = exam[-1].frame
    assert last.days is not None
    assert abs(last.days - last.true_days) <= 14
    again = [
        outcome
        for _, outcome in replayed(exam, ExamGestation(pipeline.model_info.half_widths, pipeline.model_info.shared))
    ]
    assert (again[-1].gestation.days, again[-1].gestation.high_days) == (last.days, last.high_days)
    narrow = [outcome for _, outcome in replayed(exam, ExamGestation([(0.0, 3.0)], 0.0))][-1].gestation
    assert narrow.high_days - narrow.days == pytest.approx(3 / last.zooms**0.5)


def test_a_fifth_of_frames_of_another_fetus_moves_the_age_by_no_more_than_three_days(pipeline, exam):
    others = brain_frames_of(2003, pipeline)
    assert abs(others[0].frame.true_days - exam[0].frame.true_days) > 30
    mixed = [each for n, each in enumerate(exam) for each in ([each, others[n // 4]] if n % 4 == 3 else [each])]
    alone, both = ([out.gestation for _, out in replayed(some, ExamGestation())][-1] for some in (exam, mixed))
    assert alone is not None
    assert both is not None
    assert abs(alone.days - both.days) <= 3


def test_a_freeze_of_ten_minutes_narrows_nothing(pipeline, exam):
    index = next(each.frame.frame for each in exam if each.frame.truth == "brain" and each.frame.days is not None)
    source = PhantomSource(2001, gestation_days=exam_days(2001))
    still = source.frame(index)
    scores = pipeline.encoder.submit([Item(still.pixels)]).result()[0]
    preparation, interpreter = Preparation(), Interpreter(pipeline.model_info, pipeline.banks.gestation)
    widths = []
    for second in range(601):
        prepared = preparation.prepare(replace(still, index=second, pts_seconds=float(second)))
        answer = probabilities_of(scores, pipeline.model_info, prepared.quality)
        reading = interpreter.read(prepared, answer, wire.Latency(), of_this_exam=True)
        if reading.gestation is not None:
            widths.append(reading.gestation.high_days - reading.gestation.low_days)
    assert len(widths) > 500
    assert len(set(widths)) == 1


def test_the_figures_come_back_from_the_file(tmp_path, capsys):
    file = tmp_path / "exams.csv"
    assert main(["eval", "phantom", "--exams", "--seeds", "2001", "--predictions", str(file), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["n"] == 1
    assert {"median_error_days", "single_frame_median_error_days", "interval_coverage"} <= said["metrics"].keys()
    assert main(["eval", "predictions", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == said["metrics"]
    assert read_exam_frames(tmp_path / "absent.csv") is None
    write_exam_frames(file, [frame(1, 150)])
    file.write_text(file.read_text().replace("150", "many"))
    with pytest.raises(ConfigError, match="line 2"):
        read_exam_frames(file)
