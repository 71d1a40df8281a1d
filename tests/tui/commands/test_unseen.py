import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.evaluation import seen_pictures
from fetalstream.pipeline.evaluation.seen_pictures import SeenPictures, difference_hash
from fetalstream.tui.cli import main
from fetalstream.tui.commands.unseen import judged_by


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Four pictures, of which the model has seen the first two."""
    made = []
    for seed in range(4):
        noise = np.random.default_rng(seed).standard_normal((90, 120)).astype(np.float32)
        pixels = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 9), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
        made.append(tmp_path / f"{seed}.png")
        cv2.imwrite(str(made[-1]), pixels)
    seen = SeenPictures(difference_hash(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in made[:2])
    monkeypatch.setattr(seen_pictures, "seen_by", lambda bundled: {"own.safetensors": seen}[bundled])
    return made


def ready(weights_from="bundled"):
    config = SimpleNamespace(weights=SimpleNamespace(bundled="own.safetensors"))
    model = SimpleNamespace(config=config, weights_from=weights_from)
    return SimpleNamespace(model=model, model_info=SimpleNamespace(name="own"))


def same(path: Path) -> Path:
    return path


def test_what_the_bundled_model_was_trained_on_is_left_out_and_told(pictures, capsys):
    assert judged_by(ready(), pictures, same) == (pictures[2:], 2, 0)
    assert capsys.readouterr().err == "left out 2 of 4 pictures: own was trained on them\n"


def test_if_nothing_else_is_left_it_is_judged_and_told(pictures, capsys):
    assert judged_by(ready(), pictures[:2], same) == (pictures[:2], 0, 2)
    assert "say nothing about new ones" in capsys.readouterr().err


@pytest.mark.parametrize("weights_from", ["own.pt", "random"])
def test_a_model_of_the_users_is_judged_on_everything(pictures, capsys, weights_from):
    assert judged_by(ready(weights_from), pictures, same) == (pictures, 0, 0)
    assert capsys.readouterr().err == ""


def test_eval_hc18_judges_every_head_that_the_bundled_model_has_not_seen(test_data, tmp_path, capsys):
    """Of six heads four are training exams of the bundled model: two are judged."""
    from fetalstream.pipeline.training.folds import NEVER, fold_of

    source = test_data / "hc18"
    header, *rows = (source / "labels.csv").read_text().splitlines()
    kept = [row for row in rows if fold_of("hc18", row.split("_")[0]) == NEVER][10:12]
    trained = [row for row in rows if fold_of("hc18", row.split("_")[0]) != NEVER][10:14]
    (tmp_path / "images").mkdir()
    for number, row in enumerate([*trained, *kept]):
        pixels = cv2.imread(str(source / "images" / row.split(",")[0]), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(tmp_path / "images" / f"{900 + number}_HC.png"), pixels)  # by content, not by name
    renamed = [f"{900 + n}_HC.png,{row.split(',', 1)[1]}" for n, row in enumerate([*trained, *kept])]
    (tmp_path / "labels.csv").write_text("\n".join([header, *renamed]))
    assert main(["eval", "hc18", "--data", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["n"], said["left_out"], said["trained_on"]) == (2, 4, 0)
