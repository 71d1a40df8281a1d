"""The training command, whole: real pictures of each data set, drawn stills, a few steps, and a file that loads."""

import csv
import json

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open

from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.training import __main__ as command
from fetalstream.pipeline.training import folds, phantom_cache
from fetalstream.pipeline.training.folds import NEVER
from fetalstream.pipeline.training.stills import TrainingStill
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED

SUBJECTS = {"fetal_planes": ("00001", "00002"), "hc18": ("001", "002", "003"), "fugc": ("0001",), "lung": ("clip",)}


def write(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((108, 160), np.uint8)
    cv2.ellipse(pixels, (80, 54), (40, 30), 0, 0, 360, (level,), 3)
    cv2.imwrite(str(path), pixels)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder in the layout of the data sets; of HC18's three exams the third is for validation."""
    folder = tmp_path / "data"
    columns = ["file", "patient", "class_", "machine", "orig_width", "orig_height"]
    with_classes = [("00001", "abdomen"), ("00001", "brain_tt"), ("00002", "other"), ("00002", "thorax")]
    rows = [[f"{name}/{n}.png", patient, name, "Aloka", 160, 108] for n, (patient, name) in enumerate(with_classes)]
    for row in rows:
        write(folder / "fetal_planes" / row[0], 200)
    with (folder / "fetal_planes" / "labels.csv").open("w", newline="") as out:
        csv.writer(out).writerows([columns, *rows])
    heads = ["image,hc_mm,pixel_size_mm"]
    for exam in SUBJECTS["hc18"]:
        for part in ("images", "masks"):
            write(folder / "hc18" / part / f"{exam}_HC.png", 180)
        heads.append(f"{exam}_HC.png,170.0,0.75")
    (folder / "hc18" / "labels.csv").write_text("\n".join(heads))
    write(folder / "fugc" / "0001.png", 150)
    (folder / "video" / "lung").mkdir(parents=True)
    table = {(name, subject): fold for name, all_ in SUBJECTS.items() for fold, subject in enumerate(all_)}
    monkeypatch.setattr(folds, "_table", lambda: {**table, ("hc18", "003"): NEVER})
    return folder


def stills(seeds, _per_seed):
    """Stand-ins for drawn stills: one of each kind."""
    for seed in seeds:
        picture = np.full((192, 192), 40 + seed % 100, np.uint8)
        yield TrainingStill(picture, "brain", "trans-thalamic", 200.0, False, 0.9, "brain")
        yield TrainingStill(picture, "femur", None, None, False, 0.8, "femur")
        yield TrainingStill(picture, "other", None, None, False, 0.0, None)


@pytest.fixture
def run(data, tmp_path, monkeypatch):
    """The command with these options."""
    drawn = []
    monkeypatch.setattr(
        phantom_cache, "phantom_stills", lambda seeds, count: drawn.append(seeds) or stills(seeds, count)
    )

    def run(*options):
        folders = ["--data", str(data), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "out.safetensors")]
        lengths = ["--scans", "2", "--image-steps", "2", "--text-steps", "1", "--threads", "1"]
        monkeypatch.setattr("sys.argv", ["training", *folders, *lengths, *options])
        command.main()
        return tmp_path / "out.safetensors"

    run.drawn = drawn
    return run


@pytest.mark.check
def test_it_ends_with_figures_and_a_file_that_loads_strictly(run, tmp_path, capsys):
    out = run("--held-out", "1")
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(figures) == {"planes", "subplanes", "head_size_error"}
    with safe_open(out, "pt") as file:
        assert json.loads(file.metadata()["figures"]) == figures
        dtypes = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118 - safetensors' own
    assert torch.float32 not in dtypes
    model = load_model(load_model_config(command.MODEL), weights=out, device="cpu", precision="fp32")
    assert float(model.clip.logit_scale.exp()) == pytest.approx(100.0, rel=1e-2)
    assert run.drawn == [range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 2)]
    first = out.read_bytes()
    run("--held-out", "1")  # all is finished: nothing is drawn or trained again
    assert run.drawn == [range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 2)]
    assert "goes on from step 2" in capsys.readouterr().err
    assert out.read_bytes() == first


def test_without_data_and_a_place_to_write_it_does_not_begin(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["training"])
    with pytest.raises(SystemExit):
        command.main()
    assert "--data" in capsys.readouterr().err
