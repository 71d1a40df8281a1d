import numpy as np
import pytest

from fetalstream.pipeline.evaluation.ages import AgeRows, age_metrics
from fetalstream.pipeline.evaluation.predictions import Predictions, plane_metrics
from fetalstream.pipeline.evaluation.published import HEADLINE, PUBLISHED
from fetalstream.pipeline.model.config import model_names


def metrics_of(task):
    """The metrics that ``eval`` computes for a task, of one picture."""
    if task == "hc18":
        row, one = np.zeros((1, 175)), np.array([200.0])
        return age_metrics(AgeRows(row, ("1_HC.png",), one, one, np.array([0.7])))
    return plane_metrics(Predictions(np.array(["brain"]), np.array(["brain"]), ("1",), ("1.png",)))


@pytest.mark.parametrize("task", list(PUBLISHED))
def test_the_published_metric_is_one_that_is_computed(task):
    assert HEADLINE[task] in metrics_of(task)


def test_every_task_has_a_metric_and_every_figure_a_model_file():
    assert PUBLISHED.keys() == HEADLINE.keys()
    assert {model for figures in PUBLISHED.values() for model in figures} <= set(model_names())


def test_figures_are_percentages_and_the_specialist_leads_the_general_models():
    for figures in PUBLISHED.values():
        assert all(1 < value < 100 for value in figures.values())
        assert figures["fetalclip"] > max(figures[name] for name in ("clip", "biomedclip", "unimedclip"))
