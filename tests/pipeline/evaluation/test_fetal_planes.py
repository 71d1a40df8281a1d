from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.fetal_planes import (
    TABLE,
    LabelledPicture,
    head_outputs_of,
    predictions_of,
    read_pictures,
)
from fetalstream.pipeline.inference.stage import Item
from fetalstream.pipeline.model.heads import HeadOutputs
from tests.pipeline.doubles import FACTS, PLANES, EncoderDouble, picture

HEADER = "Image_name;Plane;Brain_plane;Train ;Patient_num"
ROWS = [
    "a;Fetal brain;Trans-thalamic;1;7",
    "b;Fetal thorax;Not A Brain;0;7",
    "c;Other;Not A Brain;0;8",
    "d;Fetal brain;Other;1;9",
    "e;Fetal brain;Trans-cerebellum;1;9",
]


def table(folder, rows=ROWS, header=HEADER):
    (folder / TABLE).write_text("\ufeff" + "\n".join([header, *rows]), encoding="utf-8")
    return folder


def test_all_planes_are_read_under_the_products_names(tmp_path):
    found = read_pictures(table(tmp_path), "planes")
    assert [(each.path.name, each.truth, each.patient) for each in found] == [
        ("a.png", "brain", "7"), ("b.png", "heart", "7"), ("c.png", "other", "8"), ("d.png", "brain", "9"),
        ("e.png", "brain", "9"),
    ]  # fmt: skip
    assert found[0].path == tmp_path / "Images" / "a.png"


def test_of_the_brain_only_the_three_subplanes_are_read(tmp_path):
    found = read_pictures(table(tmp_path), "brain")
    assert [(each.path.stem, each.truth) for each in found] == [("a", "trans-thalamic"), ("e", "trans-cerebellum")]


def test_a_folder_without_the_table_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="name the folder of FETAL_PLANES_DB"):
        read_pictures(tmp_path, "planes")


@pytest.mark.parametrize("task", ["planes", "brain"])
def test_another_table_is_one_line(tmp_path, task):
    with pytest.raises(ConfigError, match="wanted the columns Image_name"):
        read_pictures(table(tmp_path, header="Image;Label;Kind;Train ;Who"), task)


def test_an_unknown_plane_is_named(tmp_path):
    with pytest.raises(ConfigError, match="unknown plane 'Fetal hand'"):
        read_pictures(table(tmp_path, [*ROWS, "f;Fetal hand;Not A Brain;1;1"]), "planes")


class RgbEncoder(EncoderDouble):
    """The double, for pictures that were made RGB on their way."""

    def submit(self, items):
        return super().submit([Item(item.pixels[..., 0]) for item in items])


@pytest.fixture
def pipeline():
    config = SimpleNamespace(name="double")
    banks = SimpleNamespace(plane_labels=PLANES, subplane_labels=FACTS.subplanes)
    model = SimpleNamespace(image_size=64, config=config)
    return SimpleNamespace(model=model, banks=banks, encoder=RgbEncoder(), model_info=FACTS)


def pictures(folder, finds):
    """Pictures in which the double finds these planes, as numbers."""
    found = []
    for number, plane in enumerate(finds):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), picture(number, plane))
        found.append(LabelledPicture(path, "brain", str(number)))
    return found


def test_outputs_come_in_the_order_of_the_pictures_in_batches_of_eight(pipeline, tmp_path):
    finds = [0, 1, 2, 1, 0, 2, 2, 1, 0, 1]
    steps = []
    outputs = head_outputs_of(pipeline, pictures(tmp_path, finds), lambda: steps.append(1))
    assert [int(each.plane_cosines.argmax()) for each in outputs] == finds
    assert pipeline.encoder.batches == [8, 2]
    assert len(steps) == 10


def test_an_output_that_is_not_finite_judges_nothing(pipeline, tmp_path):
    with pytest.raises(ConfigError, match="double gave numbers that are not finite"):
        head_outputs_of(pipeline, pictures(tmp_path, [0, 250]))


def outputs(planes, subplanes=(0.1, 0.2), other=0.15):
    return HeadOutputs(
        np.zeros(4, np.float32), np.array(planes, np.float32), np.array(subplanes, np.float32), other, None
    )


def judged(pipeline, made, task="planes"):
    shown = [LabelledPicture(SimpleNamespace(name=f"{i}.png"), "brain", f"p{i}") for i in range(len(made))]
    return predictions_of(pipeline, shown, made, task)


def test_the_likeliest_plane_is_predicted_by_a_softmax_without_other(pipeline):
    found = judged(pipeline, [outputs([0.3, 0.2, 0.1], other=0.9), outputs([0.1, 0.2, 0.21])])
    assert found.predicted.tolist() == ["abdomen", "femur"]
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1.0)
    assert found.probabilities[0, 0] == pytest.approx(1 / (1 + np.exp(-10) + np.exp(-20)))
    assert (found.groups, found.files) == (("p0", "p1"), ("0.png", "1.png"))


def test_beside_it_stands_the_probability_of_any_plane_against_other(pipeline):
    found = judged(pipeline, [outputs([0.3, 0.2, 0.1], other=0.5), outputs([0.3, 0.2, 0.1], other=0.0)])
    assert found.standard[0] < 0.01
    assert found.standard[1] > 0.99


def test_subplanes_are_predicted_among_themselves(pipeline):
    found = judged(pipeline, [outputs([0.9, 0.0, 0.0], subplanes=(0.1, 0.3))], "brain")
    assert found.predicted.tolist() == ["trans-cerebellum"]
    assert found.labels == FACTS.subplanes
    assert found.standard is None


def test_prompts_without_subplanes_and_tables_without_pictures_are_one_line(pipeline):
    pipeline.banks.subplane_labels = ()
    with pytest.raises(ConfigError, match=r"no subplanes\.json"):
        judged(pipeline, [outputs([0.3, 0.2, 0.1])], "brain")
    with pytest.raises(ConfigError, match="no picture for planes"):
        judged(pipeline, [])
