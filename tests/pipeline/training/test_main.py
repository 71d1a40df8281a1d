"""The training command, whole: a scan's stills, a few heads, a few steps, and a file that loads as ``mini``."""

import json

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open

from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.loading import load_model
from fetalstream.pipeline.training import __main__ as command
from fetalstream.pipeline.training.stills import TrainingStill, is_validation_exam
from fetalstream.streamer.phantom.tour import FIRST_TRAINING_SEED


@pytest.fixture
def hc18(tmp_path):
    """Heads of 12 exams, some of training and some of validation, as bright ellipses."""
    folder = tmp_path / "hc18"
    (folder / "images").mkdir(parents=True)
    lines = ["image,hc_mm,pixel_size_mm"]
    for exam in range(1, 13):
        pixels = np.zeros((108, 160), np.uint8)
        cv2.ellipse(pixels, (80, 54), (40, 30), 0, 0, 360, (200,), 3)
        cv2.imwrite(str(folder / "images" / f"{exam:03}_HC.png"), pixels)
        lines.append(f"{exam:03}_HC.png,170.0,0.75")
    (folder / "labels.csv").write_text("\n".join(lines))
    assert len({is_validation_exam(f"{exam:03}") for exam in range(1, 13)}) == 2
    return folder


def stills(seeds, per_seed):
    """Stand-ins for drawn stills: one of each kind."""
    for seed in seeds:
        level = 40 + seed % 100
        picture = np.full((192, 192), level, np.uint8)
        yield TrainingStill(picture, "brain", "trans-thalamic", 200.0, False, 0.9, "brain")
        yield TrainingStill(picture, "femur", None, None, False, 0.8, "femur")
        yield TrainingStill(picture, "other", None, None, False, 0.0, None)


@pytest.fixture
def run(hc18, tmp_path, monkeypatch):
    """The command with these options."""
    monkeypatch.setattr(command, "phantom_stills", stills)
    monkeypatch.setattr(command, "_VALIDATION_SEEDS", range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 2))

    def run(*options):
        words = ["training", "--hc18", str(hc18), "--out", str(tmp_path / "out.safetensors"), "--scans", "2",
                 "--image-steps", "1", "--text-steps", "1", *options]  # fmt: skip
        monkeypatch.setattr("sys.argv", words)
        command.main()
        return tmp_path / "out.safetensors"

    return run


@pytest.mark.check
def test_it_ends_with_figures_and_a_file_that_loads_strictly(run, capsys):
    out = run()
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(figures) == {"phantom", "hc18"}
    assert 0 <= figures["phantom"]["planes"] <= 1
    with safe_open(out, "pt") as file:
        assert json.loads(file.metadata()["figures"]) == figures
        dtypes = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118 - safetensors' own
    assert torch.float32 not in dtypes
    model = load_model(load_model_config("mini"), weights=out, device="cpu", precision="fp32")
    assert float(model.clip.logit_scale.exp()) == pytest.approx(100.0, rel=1e-2)


def test_a_checkpoint_is_written_and_taken_up_again(run, tmp_path, monkeypatch, capsys):
    started_with = []

    def train(_tower, concepts, *_args, **_options):
        started_with.append(concepts.plane_table.detach().clone())

    monkeypatch.setattr(command.image_tower, "train", train)
    monkeypatch.setattr(command.text_tower, "train", lambda *_args, **_options: None)
    checkpoint = tmp_path / "kept.pt"
    run("--checkpoint", str(checkpoint))
    kept = torch.load(checkpoint, weights_only=True)
    assert set(kept) == {"clip", "concepts"}
    kept["concepts"]["plane_table"].fill_(0.5)
    torch.save(kept, checkpoint)
    run("--checkpoint", str(checkpoint))
    assert not torch.equal(*started_with)
    assert (started_with[1] == 0.5).all()
    assert capsys.readouterr().out.count("\n") == 2


def test_drawn_stills_are_kept_between_runs(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(command, "phantom_stills", lambda seeds, count: drawn.append(seeds) or stills(seeds, count))
    first = command._phantom(tmp_path / "stills.pickle", 3)
    again = command._phantom(tmp_path / "stills.pickle", 3)
    assert drawn == [range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + 3)]
    assert [still.label for still in again] == [still.label for still in first] == ["brain", "femur", "other"] * 3
    assert command._phantom(None, 1)[0].label == "brain"


def test_without_heads_and_a_place_to_write_it_does_not_begin(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["training"])
    with pytest.raises(SystemExit):
        command.main()
    assert "--hc18" in capsys.readouterr().err
