import json
import subprocess
import sys

import pytest

from fetalstream.streamer.phantom import tour
from fetalstream.tui.cli import main
from fetalstream.tui.commands import option_values

SAVED = {"prediction": ["brain", "femur", "femur"], "label": ["brain", "brain", "femur"]}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(SAVED))
    return path


def test_one_line_of_json(saved, capsys):
    assert main(["eval", "predictions", str(saved), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["task"], said["model"], said["n"]) == ("predictions", "saved", 3)
    assert said["metrics"]["accuracy"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert set(said["metrics"]["f1"]) == {"value", "low", "high"}


def test_for_people(saved, capsys):
    assert main(["eval", "predictions", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "66.67%" in out
    assert "told as" in out
    assert "NOT FOR DIAGNOSTIC USE" in out


def test_saved_scores(test_data, capsys):
    scores, sizes = test_data / "fetalclip_hc18_dot_products.pt", test_data / "hc18_sizes.csv"
    assert main(["eval", "gestation-scores", str(scores), "--sizes", str(sizes), "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert round(metrics["vpr"]["value"] * 814) == 679
    assert round(metrics["vpr_masked"]["value"] * 814) >= 694


def test_what_cannot_be_read_is_one_line(tmp_path, capsys):
    assert main(["eval", "predictions", str(tmp_path / "absent.json")]) == 1
    assert main(["eval", "planes", "--data", str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_the_phantom_in_one_line_of_json_and_again_from_its_file(tmp_path, capsys):
    file = tmp_path / "frames.csv"
    options = ["--seeds", "3", "--seconds", "2", "--predictions", str(file), "--json"]
    assert main(["eval", "phantom", *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["task"], said["model"], said["n"]) == ("phantom", "mini", 1)
    assert {"segment_f1", "single_frame_segment_f1", "moving_average_segment_f1", "keyframe_regret"} <= set(
        said["metrics"]
    )
    assert main(["eval", "predictions", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"] == said["metrics"]


@pytest.mark.parametrize("seeds", ["", "x", "1000000", "5-3"])
def test_seeds_that_models_may_have_learnt_from_are_refused(seeds, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["eval", "phantom", "--seeds", seeds])
    assert "seeds" in capsys.readouterr().err


def test_the_options_know_where_training_seeds_begin():
    assert option_values.FIRST_TRAINING_SEED == tour.FIRST_TRAINING_SEED


def test_a_table_that_is_no_text_is_one_line(tmp_path, capsys):
    (tmp_path / "bad.csv").write_bytes(b"a\xff\n")
    assert main(["eval", "predictions", str(tmp_path / "bad.csv")]) == 1
    assert "no file of predictions" in capsys.readouterr().err


def test_scoring_what_was_saved_loads_no_model(saved):
    script = (
        f"import sys; from fetalstream.tui.cli import main; main(['eval', 'predictions', {str(saved)!r}, '--json'])"
    )
    done = subprocess.run([sys.executable, "-c", f"{script}; assert 'torch' not in sys.modules"], timeout=60)
    assert done.returncode == 0
