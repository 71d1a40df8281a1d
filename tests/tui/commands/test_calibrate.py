"""The calibrate command on a made-up screen: what it prints, asks and writes."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.streamer.region.profiles import load_profile
from fetalstream.tui import cli
from fetalstream.tui.commands import calibrate


@pytest.fixture(scope="module")
def screenshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("screens") / "TESTPATIENT ADA.png"
    Image.fromarray(ScannerScreen(5).frame(330).pixels).save(path)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_is_one_object_and_asks_nothing(screenshot: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calibrate", str(screenshot), "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    x, y, width, height = told["sector"]["rectangle"]
    assert all(x <= px <= x + width and y <= py <= y + height for px, py in told["sector"]["polygon"])
    assert told["ruler"]["spacing_mm"] == pytest.approx(ScannerScreen(5).design.spacing_mm, rel=0.01)
    assert told["state"] == "live"
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_it_shows_asks_and_writes_a_profile_only_where_told(
    screenshot: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert cli.main(["calibrate", str(screenshot), "--name", "room-2"]) == 0
    out = capsys.readouterr().out
    assert out.count("#") > 100
    assert "Scan region (" in out
    assert "Depth ruler: " in out
    design = ScannerScreen(5).design
    with Image.open(home / "calibration.png") as picture:
        assert picture.size == (design.width, design.height)
    written = home / "fetalstream" / "scanners" / "room-2.toml"
    assert written.is_file() == (answer == "y")
    if answer == "y":
        assert load_profile("room-2").width == design.width


def test_a_source_that_sends_nothing_is_given_up(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calibrate, "_PATIENCE_S", 0.5)
    assert cli.main(["calibrate", "tcp://127.0.0.1:9"]) == 1
    assert "no picture came within 0.5 seconds (connection refused)" in capsys.readouterr().err
