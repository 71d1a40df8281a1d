import inspect

import numpy as np
import pytest
from PIL import Image

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.source_formats import EXAMPLES, FORMATS
from fetalstream.streamer.sources import _opener, open_source
from fetalstream.tui.commands.run import SOURCES
from tests.streamer.clips import moving, write


def matching(name):
    return next((each.opener for each in FORMATS if each.matches(name)), None)


@pytest.mark.parametrize("source_format", FORMATS, ids=lambda each: each.opener)
def test_what_opens_a_format_exists_and_takes_what_it_is_given(source_format):
    parameters = inspect.signature(_opener(source_format.opener)).parameters
    assert next(iter(parameters)) in ("name", "url")
    assert {"spacing_mm", "clock_ns"} <= set(parameters)


@pytest.mark.parametrize(
    ("name", "opener"),
    [
        ("/dev/video0", "live.camera:open_camera"),
        ("/dev/video0?size=640x480", "live.camera:open_camera"),
        ("/dev/v4l/by-id/usb-x", "live.camera:open_camera"),
        ("camera:1", "live.camera:open_camera"),
        ("CAMERA:1", "live.camera:open_camera"),
        ("rtsp://h/p", "live.network:open_network"),
        ("SRT://h:9", "live.network:open_network"),
        ("udp://@:5000", "live.network:open_network"),
        ("igtl://h", "live.igtl:open_igtl"),
        ("phantom:7", "phantom.source:open_phantom"),
        ("phantom:x", "phantom.source:open_phantom"),
        ("ftp://h/p", None),
        ("/dev/null", None),
        ("/dev/videos/a.mp4", None),
        ("a\0b", None),
        ("", None),
    ],
)
def test_an_address_is_of_its_schemes_kind(name, opener):
    assert matching(name) == opener


def test_what_exists_is_judged_by_what_it_is(tmp_path):
    clip = write(tmp_path / "a.mp4", moving(2))
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "b.JPG")
    (tmp_path / "c").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "only").mkdir()
    assert matching(str(clip)) == "readers.files:open_video"
    assert matching(f"{clip}#region=2") == "readers.files:open_video"
    assert matching(str(tmp_path / "b.JPG")) == "readers.folders:open_images"
    assert matching(str(tmp_path / "c")) == "dicom.clip:open_dicom"
    assert matching(str(tmp_path / "only")) == "readers.folders:open_images"
    assert matching(str(tmp_path)) == "dicom.clip:open_dicom", "one DICOM file makes it a DICOM folder"
    assert matching(f"{tmp_path / 'gone'}#region=2") is None


def test_a_path_that_looks_like_an_address_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("camera:0", "phantom:7", "igtl:"):
        (tmp_path / name).write_bytes(b"x")
        assert matching(name) == "readers.files:open_video"


def test_every_example_is_told_to_whoever_gives_no_source_and_is_in_the_help():
    examples = [each.example for each in FORMATS if each.example]
    assert len(set(examples)) == len(examples) == len({each.opener for each in FORMATS})
    with pytest.raises(SourceError) as caught:
        open_source("no/such/file")
    for example in examples:
        assert example in EXAMPLES
        assert example in str(caught.value)
        assert example.removeprefix("a ").split("://")[0] in SOURCES
