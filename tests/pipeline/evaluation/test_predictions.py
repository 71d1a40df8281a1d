import numpy as np
import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.predictions import Predictions, plane_metrics, read_predictions, write_predictions


def some() -> Predictions:
    rng = np.random.default_rng(3)
    labels = ("brain", "femur", "heart")
    table = rng.dirichlet((1, 1, 1), 30)
    truth = np.array([*rng.choice(labels, 24), *["other"] * 6])
    return Predictions(
        truth, np.array(labels)[table.argmax(axis=1)], tuple(str(n // 3) for n in range(30)),
        tuple(f"{n}.png" for n in range(30)), labels, table, rng.random(30),
    )  # fmt: skip


def test_what_is_written_is_judged_the_same_when_it_is_read(tmp_path):
    found = some()
    write_predictions(tmp_path / "p.csv", found)
    again = read_predictions(tmp_path / "p.csv")
    assert (again.truth == found.truth).all()
    assert again.labels == found.labels
    assert again.groups == found.groups
    before, after = plane_metrics(found), plane_metrics(again)
    assert before.keys() == after.keys() == {
        "f1", "accuracy", "top2_accuracy", "top3_accuracy", "auroc_other", "fpr95_other", "calibration_error",
        *(f"{name}_at_{percent}" for name in ("coverage", "accuracy") for percent in (50, 80, 95)),
    }  # fmt: skip
    for name, metric in before.items():
        assert after[name].value == pytest.approx(metric.value, abs=1e-6), name


def test_pictures_of_other_count_for_other_alone():
    found = some()
    assert plane_metrics(found)["top3_accuracy"].value == 1.0


def test_how_many_are_sure_and_how_many_of_these_are_right():
    table = np.array([[0.9, 0.1], [0.6, 0.4], [0.1, 0.9], [0.45, 0.55]])
    truth = np.array(["brain", "femur", "femur", "other"])
    found = Predictions(truth, np.array(["brain", "brain", "femur", "femur"]), tuple("abcd"), ("",) * 4,
                        ("brain", "femur"), table)  # fmt: skip
    metrics = plane_metrics(found)
    assert [metrics[f"coverage_at_{percent}"].value for percent in (50, 80, 95)] == pytest.approx([1.0, 2 / 3, 0.0])
    assert [metrics[f"accuracy_at_{percent}"].value for percent in (50, 80, 95)] == [pytest.approx(2 / 3), 1.0, None]


def test_sure_of_what_is_right_as_often_as_it_says_has_no_calibration_error():
    """Ten pictures at 0.7 of which seven are right, and one of "other" that is sure to be none."""
    table = np.array([[0.7, 0.3]] * 10 + [[0.5, 0.5]])
    truth = np.array(["brain"] * 7 + ["femur"] * 3 + ["other"])
    standard = np.array([1.0] * 10 + [0.0])
    groups, files = tuple(str(n) for n in range(11)), ("",) * 11
    found = Predictions(truth, np.array(["brain"] * 11), groups, files, ("brain", "femur"), table, standard)
    assert plane_metrics(found)["calibration_error"].value == pytest.approx(0.0, abs=1e-12)
    sure = Predictions(truth, found.predicted, groups, files, found.labels, np.array([[1.0, 0.0]] * 11), standard)
    assert plane_metrics(sure)["calibration_error"].value == pytest.approx(3 / 11)


@pytest.mark.parametrize(("name", "f1"), [("planes", 0.97275), ("subplanes", 0.69293)])
def test_the_published_predictions(test_data, name, f1):
    found = read_predictions(test_data / f"fetalclip_{name}_predictions.json")
    metrics = plane_metrics(found)
    assert metrics["f1"].value == pytest.approx(f1, abs=5e-6)
    assert "auroc_other" not in metrics


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", '{"prediction": ["x"], "label": []}'), ("b.json", "[]"), ("c.csv", "a,b\n1,2\n"), ("d.json", "{")],
)
def test_what_is_no_file_of_predictions_is_one_line(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match="no file of predictions"):
        read_predictions(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_predictions(tmp_path / "absent.csv")
