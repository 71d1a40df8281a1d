"""Miniature data sets in the published layouts, judged against a plain loop over their pictures."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.ages import readouts
from fetalstream.pipeline.evaluation.fetal_planes import head_outputs_of, patient_of, predictions_of, read_pictures
from fetalstream.pipeline.evaluation.hc18 import age_rows, read_heads
from fetalstream.pipeline.evaluation.pictures import read_picture
from fetalstream.pipeline.evaluation.predictions import plane_metrics
from fetalstream.pipeline.loaded_pipeline import load_pipeline
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.openclip import import_open_clip
from fetalstream.pipeline.model.preprocess import input_spacing_mm
from fetalstream.pipeline.model.prompts import gestation_sentence
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.tui.cli import main
from tests.pipeline.model.test_parity import padded_by_pil

NAMES = {"brain": "Fetal brain", "abdomen": "Fetal abdomen", "heart": "Fetal thorax", "femur": "Fetal femur",
         "cervix": "Maternal cervix"}  # fmt: skip
SUBPLANES = {"trans-thalamic": "Trans-thalamic", "trans-cerebellum": "Trans-cerebellum",
             "trans-ventricular": "Trans-ventricular"}  # fmt: skip


@pytest.fixture(scope="module")
def pipeline():
    return load_pipeline("mini", device="cpu", precision="fp32")


@pytest.fixture(scope="module")
def planes_db(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planes")
    (folder / "Images").mkdir()
    rows = []
    for seed in (21, 22):
        phantom = PhantomSource(seed)
        for index in range(0, 1800, 60):
            truth = phantom.truth(index)
            name = NAMES.get(truth.label or "", "Other")
            rows.append([f"P{seed}_{index}", name, SUBPLANES.get(truth.subplane or "", "Not A Brain"), 1, str(seed)])
            cv2.imwrite(str(folder / "Images" / f"P{seed}_{index}.png"), phantom.frame(index).pixels)
    with (folder / "FETAL_PLANES_DB_data.csv").open("w", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(["Image_name", "Plane", "Brain_plane", "Train ", "Patient_num"])
        writer.writerows(rows)
    return folder


def plain_features(pipeline, path) -> torch.Tensor:
    model = pipeline.model
    transform = import_open_clip().image_transform(
        model.image_size, is_train=False, mean=model.config.mean, std=model.config.std
    )
    with torch.inference_mode():
        picture = transform(padded_by_pil(Image.open(path).convert("RGB")))[None]
        return torch.nn.functional.normalize(model.clip.encode_image(picture), dim=-1)[0]


def plain_score(pipeline, image, day, spacing_mm) -> float:
    sentences = [gestation_sentence(template, day, spacing_mm) for template in pipeline.prompts.gestation]
    with torch.inference_mode():
        texts = pipeline.model.clip.encode_text(pipeline.model.tokenizer(sentences), normalize=True)
    return float((100 * texts @ image).mean())


@pytest.mark.parametrize("task", ["planes", "brain"])
def test_planes_are_those_of_a_plain_loop(pipeline, planes_db, task):
    pictures = read_pictures(planes_db, task)
    found = predictions_of(pipeline, pictures, head_outputs_of(pipeline, pictures), task)
    texts = torch.from_numpy(pipeline.banks.planes if task == "planes" else pipeline.banks.subplanes)
    plain = np.stack(
        [(100 * plain_features(pipeline, each.path) @ texts.T).softmax(dim=-1).numpy() for each in pictures]
    )
    np.testing.assert_allclose(found.probabilities, plain, atol=5e-5)
    assert found.predicted.tolist() == [found.labels[column] for column in plain.argmax(axis=1)]
    assert set(found.groups) == {"21", "22"}
    metrics = plane_metrics(found)
    assert 0 < metrics["f1"].value <= 1
    assert ("auroc_other" in metrics) == (task == "planes")


def test_ages_are_those_of_a_plain_loop(pipeline, tmp_path):
    (tmp_path / "training_set").mkdir()
    lines = ["filename,pixel size(mm),head circumference (mm)"]
    phantom = PhantomSource(23)
    heads = [index for index in range(0, 1800, 10) if phantom.truth(index).label == "brain"][:3]
    for number, index in enumerate(heads):
        truth = phantom.truth(index)
        lines.append(f"{number:03}_HC.png,{truth.spacing_mm},{truth.hc_mm}")
        cv2.imwrite(str(tmp_path / "training_set" / f"{number:03}_HC.png"), phantom.frame(index).pixels)
    (tmp_path / "training_set_pixel_size_and_HC.csv").write_text("\n".join(lines))
    table = read_heads(tmp_path)
    rows = age_rows(pipeline, table)
    assert rows.exams == ["000", "001", "002"][: len(table)]
    plain, masked, _ = readouts(rows)
    for row, head in enumerate(table):
        image = plain_features(pipeline, head.path)
        height, width = cv2.imread(str(head.path), cv2.IMREAD_GRAYSCALE).shape
        spacing_mm = input_spacing_mm(height, width, head.spacing_mm, pipeline.model.image_size)
        own = np.array([plain_score(pipeline, image, day, spacing_mm) for day in GRID_DAYS.tolist()])
        # Sentences are kept with two bytes a number.
        np.testing.assert_allclose(rows.rows[row], own, atol=0.01)
        assert plain[row] == GRID_DAYS[np.sort(np.argsort(-own)[:15])[7]]
        assert abs(masked[row] - phantom.truth(heads[row]).gestation_days) < 20
        assert rows.width_mm[row] == pytest.approx(width * head.spacing_mm)


def test_a_copy_with_squeezed_pictures_is_read_in_their_own_shape(tmp_path):
    drawn = np.zeros((300, 480), np.uint8)
    cv2.circle(drawn, (240, 150), 90, (200,), -1)
    (tmp_path / "abdomen").mkdir()
    cv2.imwrite(str(tmp_path / "abdomen" / "a.png"), cv2.resize(drawn, (640, 640), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(tmp_path / "whole.png"), drawn)
    columns = "file,patient,plane,brain_plane,orig_width,orig_height"
    rows = ["abdomen/a.png,00791,Fetal abdomen,Not A Brain,480,300", "a.png,00001,Fetal brain,Trans-thalamic,480,300"]
    (tmp_path / "labels.csv").write_text("\n".join((columns, *rows)))
    first, second = read_pictures(tmp_path, "planes")
    assert (first.truth, first.patient, second.truth) == ("abdomen", "00779", "brain")
    assert [picture.truth for picture in read_pictures(tmp_path, "brain")] == ["trans-thalamic"]
    stretched = read_picture(first.path, 96, first.size)
    own = read_picture(tmp_path / "whole.png", 96)
    assert (stretched.height, stretched.width) == (300, 480)
    assert np.abs(stretched.pixels.astype(int) - own.pixels).mean() < 2  # twice resampled


def test_a_copys_table_with_other_columns_is_one_line(tmp_path):
    (tmp_path / "labels.csv").write_text("file,plane\na.png,Fetal brain\n")
    with pytest.raises(ConfigError, match="orig_width"):
        read_pictures(tmp_path, "planes")


@pytest.mark.parametrize(("number", "patient"), [("791", "779"), ("00791", "00779"), ("779", "779"), ("A7", "A7")])
def test_numbers_that_show_the_same_pictures_are_one_patient(number, patient):
    assert patient_of(number) == patient


def test_a_folder_that_is_no_data_set_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="FETAL_PLANES_DB"):
        read_pictures(tmp_path, "planes")
    with pytest.raises(ConfigError, match="HC18"):
        read_heads(tmp_path)
    with pytest.raises(ConfigError, match="missing, or not an image"):
        read_picture(tmp_path / "absent.png", 128)
    (tmp_path / "FETAL_PLANES_DB_data.csv").write_text("a;b\n1;2\n")
    with pytest.raises(ConfigError, match="wanted the columns"):
        read_pictures(tmp_path, "brain")


def test_constants_are_fitted_on_half_of_the_patients_and_judged_on_the_other(pipeline, planes_db, tmp_path, capsys):
    file = tmp_path / "own.toml"
    asked = ["eval", "planes", "--data", str(planes_db), "--device", "cpu", "--precision", "fp32", "--json"]
    assert main([*asked, "--fit", str(file)]) == 0
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert said["n"] == 30  # of one of the two patients
    assert {"auroc_other", "fpr95_other"} <= said["metrics"].keys()
    assert "pass its threshold" in err
    config = load_model_config(file)
    assert config.open_set != pipeline.model.config.open_set
    assert config.open_set.operating_point.true_positive_rate > config.open_set.operating_point.false_positive_rate
    assert "FETAL_PLANES_DB, 30 pictures of 1 patients" in config.calibrated_on
    assert config.temporal == pipeline.model.config.temporal
    assert main([*asked, "--model", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 60
