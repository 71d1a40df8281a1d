import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.sources import open_source
from tests.streamer.clips import moving, write


def test_a_name_finds_its_source(tmp_path):
    clip = write(tmp_path / "a.mp4", moving(3))
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.PNG")
    expected = {str(clip): ("file", 3), str(tmp_path): ("folder", 1), str(tmp_path / "a.PNG"): ("folder", 1)}
    for name, (kind, count) in expected.items():
        with open_source(name, spacing_mm=0.1, clock_ns=lambda: 42) as source:
            assert source.kind == kind
            assert len(source.identity) == 64
            frames = list(source)
        assert len(frames) == count
        assert {(frame.spacing_mm, frame.spacing_from, frame.captured_ns) for frame in frames} == {
            (0.1, "operator", 42)
        }


def test_an_existing_file_comes_before_any_scheme(tmp_path, monkeypatch):
    write(tmp_path / "a.mp4", moving(3)).rename(tmp_path / "phantom:3")
    monkeypatch.chdir(tmp_path)
    with open_source("phantom:3") as source:
        assert source.kind == "file"


@pytest.mark.parametrize(
    "name",
    [
        *["", "no/such/file.mp4", "a" * 5000, "a\0b", "two\nlines", "phantom:", "phantom:x", "phantom:-1"],
        *[
            "ftp://user:secret@x/y.mp4",
            "/dev/null",
            "file:///etc",
        ],
    ],
)
def test_what_is_no_source_is_refused_in_one_line_without_secrets(name):
    with pytest.raises(SourceError) as caught:
        open_source(name)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)
    assert "phantom:" in str(caught.value)


@pytest.mark.parametrize("spacing_mm", [0.0, -0.1, float("nan"), float("inf"), 1e308, 1e-320, 0.0099, 2.01, True])
def test_a_spacing_that_cannot_be_is_refused(tmp_path, spacing_mm):
    with pytest.raises(SourceError, match=r"0\.01 to 2 mm per pixel"):
        open_source(str(tmp_path), spacing_mm=spacing_mm)


def test_opening_by_name_loads_no_video_library():
    code = (
        "import sys, fetalstream.streamer.sources, fetalstream.streamer.flow; "
        "print(sorted({'av', 'PIL', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_phantom_opens_by_its_seed():
    pytest.importorskip("fetalstream.streamer.phantom.source")
    with open_source("phantom:7", spacing_mm=0.1) as source:
        assert source.kind == "phantom"
        assert any("spacing" in warning for warning in source.warnings)
        frame = next(iter(source))
    assert frame.pixels.shape == (480, 640)
    assert frame.spacing_from == "phantom"
