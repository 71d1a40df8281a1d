import json

import pytest

from fetalstream.pipeline.evaluation.metrics import Metric
from fetalstream.pipeline.evaluation.published import HEADLINE, PUBLISHED
from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands.eval_output import print_metrics

METRICS = {
    "accuracy": Metric(0.9, 0.85, 0.95),
    "median_error_days": Metric(4.25, 3.0, 5.5),
    "latency_seconds": Metric(0.5, None, None),
    "recall": Metric(None, None, None),
}


def test_people_read_values_with_their_units_and_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics("predictions", "saved", 3, METRICS, as_json=False, table={"brain": {"brain": 2, "femur": 5}})
    assert capsys.readouterr().out.splitlines() == [
        "predictions: saved, 3 pictures, 95% intervals over patients or exams",
        f"  {'accuracy':<32}90.00% (85.00% to 95.00%)",
        f"  {'median_error_days':<32}4.25 days (3.00 to 5.50)",
        f"  {'latency_seconds':<32}0.50 s",
        f"  {'recall':<32}nothing to judge",
        f"  {'brain':<32}told as femur 5, brain 2",
        NOTICE,
    ]


def test_programs_read_one_line_of_json_without_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_metrics("predictions", "saved", 3, METRICS, as_json=True, table={"brain": {"brain": 2}})
    (line,) = capsys.readouterr().out.splitlines()
    read = json.loads(line)
    assert set(read) == {"task", "model", "n", "metrics"}
    assert read["metrics"]["accuracy"] == {"value": 0.9, "low": 0.85, "high": 0.95}


def test_the_published_figure_stands_beside_the_headline_of_its_task(capsys: pytest.CaptureFixture[str]) -> None:
    task, headline = next((task, name) for task, name in HEADLINE.items() if PUBLISHED.get(task))
    model, published = next(iter(PUBLISHED[task].items()))
    print_metrics(task, model, 3, {headline: Metric(0.9, 0.8, 1.0), "other": METRICS["accuracy"]}, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith(f"   published {published:.2f}%")
    assert "published" not in lines[2]
