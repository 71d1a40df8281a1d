import numpy as np
import pytest

from benchmarks.real_folds import figures, published_answers
from fetalstream.pipeline.training.real_pictures import RealPicture

PLANES = ("brain", "femur")


def picture(label, subject, dataset="fetal_planes", **changes):
    return RealPicture(np.full((30, 40), 90, np.uint8), dataset, f"{subject}.png", subject, label, **changes)


def test_pooled_figures_count_planes_sections_and_what_shows_none_apart():
    pictures = [
        picture("brain", "1", subplane="trans-thalamic", machine="A"), picture("femur", "2", machine="B"),
        picture("femur", "3", machine="B"), picture("other", "4"), picture("other", "5", "lung"),
    ]  # fmt: skip
    table = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.9, 0.05, 0.05], [0.1, 0.2, 0.7], [0.05, 0.85, 0.1]])
    found = figures(pictures, table, PLANES, np.array(["trans-thalamic"] * 5))
    assert found["pictures"] == 3
    assert found["planes_accuracy"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["sections_f1"] == 1.0
    assert found["brain_of_others"]["value"] == pytest.approx(1 / 4)
    assert found["auroc_fetal"] == 1.0
    assert found["named_fetal"]["value"] == 0.0
    assert found["named_lung"]["value"] == 1.0
    assert found["by_machine"] == {"A": {"n": 1, "accuracy": 1.0}, "B": {"n": 2, "accuracy": 0.5}}


def test_the_published_answers_to_the_handed_pictures(test_data):
    from fetalstream.pipeline.training.real_pictures import fetal_planes

    found = published_answers(test_data, list(fetal_planes(test_data / "fetal_planes")))
    assert found["planes_f1"] > 0.9
    assert found["sections_f1"] > 0.6
