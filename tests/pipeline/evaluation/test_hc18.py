from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.hc18 import Head, age_rows, read_heads
from tests.pipeline.doubles import Done, scores

ROWS = [("001_HC.png", 0.2, 180.0), ("001_2HC.png", 0.25, 181.5), ("002_HC.png", 0.1, 90.25)]


def published(folder):
    lines = ["filename,pixel size(mm),head circumference (mm)", *(",".join(map(str, row)) for row in ROWS)]
    (folder / "training_set_pixel_size_and_HC.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    return folder, "training_set"


def copied(folder):
    lines = ["image,hc_mm,pixel_size_mm", *(f"{name},{hc},{spacing}" for name, spacing, hc in ROWS)]
    (folder / "labels.csv").write_text("\n".join(lines))
    return folder, "images"


@pytest.mark.parametrize("layout", [published, copied])
def test_heads_are_read_from_either_layout_in_the_tables_order(tmp_path, layout):
    folder, images = layout(tmp_path)
    wanted = [Head(folder / images / name, spacing, hc) for name, spacing, hc in ROWS]
    assert read_heads(folder) == wanted


def test_exams_can_be_left_out(tmp_path):
    folder, _ = copied(tmp_path)
    assert [head.path.name for head in read_heads(folder, lambda exam: exam != "001")] == ["002_HC.png"]


def test_a_folder_without_a_table_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="name the folder of the HC18 data set"):
        read_heads(tmp_path)


@pytest.mark.parametrize("table", ["image,hc_mm\na.png,1\n", "image,hc_mm,pixel_size_mm\na.png,wide,0.1\n"])
def test_a_table_with_other_columns_or_words_for_numbers_is_one_line(tmp_path, table):
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(ConfigError, match="wanted the columns image, pixel_size_mm and hc_mm"):
        read_heads(tmp_path)


class Encoder:
    """Answers with each picture's bank, summed, as the age row; remembers how large batches were."""

    def __init__(self):
        self.batches = []

    def submit(self, items):
        self.batches.append(len(items))
        return Done([self.outputs(item) for item in items])

    def outputs(self, item):
        return SimpleNamespace(gestation_row=item.gestation_bank.sum(axis=1))


@pytest.fixture
def pipeline():
    """A pipeline whose banks hold the spacing that they were asked for."""
    banks = SimpleNamespace(gestation=lambda spacing_mm: np.full((175, 1), spacing_mm))
    config = SimpleNamespace(name="double")
    return SimpleNamespace(model=SimpleNamespace(image_size=64, config=config), banks=banks, encoder=Encoder())


@pytest.fixture
def heads(tmp_path):
    found = []
    for number, (height, width) in enumerate([(64, 64), (54, 80), (100, 50)] * 4):
        path = tmp_path / f"{number:03}_HC.png"
        cv2.imwrite(str(path), np.full((height, width), 100, np.uint8))
        found.append(Head(path, 0.1 * (number + 1), 150.0 + number))
    return found


def test_each_picture_is_asked_with_the_sentences_of_its_own_spacing(pipeline, heads):
    steps = []
    found = age_rows(pipeline, heads, lambda: steps.append(1))
    larger_sides = [64, 80, 100] * 4
    wanted = [side / 64 * head.spacing_mm for side, head in zip(larger_sides, heads, strict=True)]
    np.testing.assert_allclose(found.rows[:, 0], wanted)
    assert found.rows.shape == (12, 175)
    assert len(steps) == 12
    assert pipeline.encoder.batches == [8, 4]


def test_sizes_of_pictures_come_from_their_files(pipeline, heads):
    found = age_rows(pipeline, heads)
    np.testing.assert_allclose(found.aspect[:3], [1.0, 54 / 80, 2.0])
    np.testing.assert_allclose(found.width_mm[:3], [64 * 0.1, 80 * 0.2, 50 * 0.3])
    np.testing.assert_array_equal(found.hc_mm, [head.hc_mm for head in heads])
    assert found.files == tuple(head.path.name for head in heads)
    assert found.exams[:2] == ["000", "001"]


@pytest.mark.parametrize("outputs", [None, scores(np.zeros((4, 4), np.uint8))])
def test_an_output_without_an_age_row_judges_nothing(pipeline, heads, outputs):
    pipeline.encoder.outputs = lambda item: outputs
    with pytest.raises(ConfigError, match="double gave numbers that are not finite"):
        age_rows(pipeline, heads)


def test_a_missing_picture_is_one_line(pipeline, tmp_path):
    with pytest.raises(ConfigError, match="absent_HC"):
        age_rows(pipeline, [Head(tmp_path / "absent_HC.png", 0.1, 100.0)])
