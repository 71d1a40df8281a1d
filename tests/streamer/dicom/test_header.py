"""Headers of made files: what is read, what is refused, and in which words."""

import contextlib
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HEVCMP51,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    RLELossless,
    generate_uid,
)

from fetalstream.streamer.dicom.header import MAX_FRAMES, Unreadable, is_dicom, needs_pydicom, read_header
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers.picture import MAX_PIXELS

ROWS, COLUMNS = 6, 8


def made(path, frames=1, syntax=ExplicitVRLittleEndian, pixels=None, **elements):
    """A gray clip with the patient's name in it; an element that is None is left out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    values = {
        "PatientName": "DOE^JANE", "PatientID": "4711", "Rows": ROWS, "Columns": COLUMNS, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7,
        "PixelRepresentation": 0, **({"NumberOfFrames": frames} if frames != 1 else {}), **elements,
    }  # fmt: skip
    for name, value in values.items():
        if value is not None:
            setattr(dataset, name, value)
    dataset.PixelData = np.zeros((frames, ROWS, COLUMNS), np.uint8).tobytes() if pixels is None else pixels
    dataset.save_as(path, enforce_file_format=True)
    return path


def refusal(path):
    with pytest.raises(Unreadable) as caught:
        read_header(path)
    assert "DOE" not in str(caught.value)
    assert str(path) not in str(caught.value)
    return str(caught.value)


def test_a_still_stands_for_a_second(tmp_path):
    found = read_header(made(tmp_path / "a"))
    assert (found.frames, found.rows, found.columns) == (1, ROWS, COLUMNS)
    assert tuple(found.times_seconds) == (0.0,)
    assert found.period_seconds == 1.0
    assert found.warnings == ()


def test_nothing_that_says_who_the_patient_is_is_read(tmp_path):
    elements = read_header(made(tmp_path / "a", StudyDate="20260520", InstitutionName="HOSPITAL")).elements
    assert "PatientName" not in elements
    assert "PatientID" not in elements
    for secret in ("DOE", "4711", "20260520", "HOSPITAL"):
        assert secret not in str(elements)


@pytest.mark.parametrize(
    ("elements", "times", "warned"),
    [
        ({"FrameTime": 40.0}, [0, 0.04, 0.08], False),
        ({"RecommendedDisplayFrameRate": 50}, [0, 0.02, 0.04], False),
        ({"CineRate": 20}, [0, 0.05, 0.1], False),
        ({"FrameTime": 40.0, "CineRate": 20}, [0, 0.04, 0.08], False),
        ({"FrameTimeVector": [0, 10, 30]}, [0, 0.01, 0.04], False),
        ({"FrameTimeVector": [7, 10, 30], "FrameTime": 40.0}, [0, 0.01, 0.04], False),
        ({"FrameTimeVector": [0, 10], "FrameTime": 40.0}, [0, 0.04, 0.08], False),  # one step is missing
        ({"FrameTimeVector": [0, 10, -30], "FrameTime": 40.0}, [0, 0.04, 0.08], False),
        ({"FrameTime": 0.0, "CineRate": 20}, [0, 0.05, 0.1], False),
        ({"FrameTime": 0.0001}, [0, 0.04, 0.08], True),
        ({"CineRate": 5000}, [0, 0.04, 0.08], True),
        ({}, [0, 0.04, 0.08], True),
    ],
)
def test_times_come_from_the_first_element_that_can_be_believed(tmp_path, elements, times, warned):
    found = read_header(made(tmp_path / "a", 3, **elements))
    assert [found.times_seconds[at] for at in range(len(found.times_seconds))] == pytest.approx(times)
    assert found.period_seconds == pytest.approx(times[-1] / 2)
    assert [("assumed" in line) for line in found.warnings] == [True] * warned


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ({"Rows": None}, "holds no picture"),
        ({"Columns": 0}, "holds no picture"),
        ({"SamplesPerPixel": 2}, "unusual kind"),
        ({"SamplesPerPixel": None}, "unusual kind"),
        ({"BitsAllocated": 32}, "unusual kind"),
        ({"PixelRepresentation": 1}, "signed pixels"),
        ({"Rows": 0xFFFF, "Columns": 0xFFFF}, f"larger than {MAX_PIXELS >> 20} megapixels"),
        ({"Rows": ROWS + 200}, "cut short"),
        ({"NumberOfFrames": 0}, "says that it has 0 frames"),
        ({"NumberOfFrames": MAX_FRAMES + 1}, f"between 1 and {MAX_FRAMES}"),
        ({"NumberOfFrames": 500}, "cut short"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused_before_any_pixel_is_read(tmp_path, elements, words):
    assert words in refusal(made(tmp_path / "a", **elements))


def test_compressed_frames_may_be_small_but_not_nothing(tmp_path):
    pixels = encapsulate([b"\0" * 100])
    path = made(tmp_path / "a", syntax=RLELossless, pixels=pixels, Rows=1000, Columns=1000)
    assert read_header(path).rows == 1000
    # A thousand times as many frames as bytes could be.
    assert "cut short" in refusal(made(tmp_path / "b", syntax=RLELossless, pixels=pixels, NumberOfFrames=1000))


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (HEVCMP51, "export it as JPEG or RLE"),
        (JPEGLosslessSV1, "pip install python-gdcm"),
    ],
)
def test_what_is_not_decoded_says_what_to_install_or_how_to_export(tmp_path, syntax, words):
    assert words in refusal(made(tmp_path / "a", syntax=syntax, pixels=encapsulate([b"\0" * 100])))


def test_a_deflated_file_is_not_inflated_to_be_looked_at(tmp_path):
    path = made(tmp_path / "a", syntax=DeflatedExplicitVRLittleEndian, pixels=bytes(48))
    assert "is deflated as a whole" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"no DICOM", bytes(128) + b"DICM", bytes(128) + b"DICM" + bytes(range(256))])
def test_what_is_no_file_of_the_kind_is_damaged_or_something_else(tmp_path, content):
    path = tmp_path / "a.dcm"
    path.write_bytes(content)
    assert "not a DICOM file that can be read" in refusal(path)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_spoiled_header_is_read_or_refused_and_nothing_else(tmp_path, data):
    path = tmp_path / "a"
    if not path.exists():
        made(path, 3, syntax=JPEGBaseline8Bit, pixels=encapsulate([b"\0" * 40] * 3), FrameTime=40.0)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    spoiled = tmp_path / "b"
    spoiled.write_bytes(content[: data.draw(st.integers(140, len(content)))])
    with contextlib.suppress(Unreadable):
        found = read_header(spoiled)
        assert 1 <= found.frames <= MAX_FRAMES
        assert found.rows * found.columns <= MAX_PIXELS
        assert len(found.times_seconds) == found.frames


@pytest.mark.parametrize(
    ("name", "content", "known"),
    [
        ("a.dcm", b"", True),
        ("a.DICOM", b"", True),
        ("IM0001", bytes(128) + b"DICM", True),
        ("IM0002", bytes(127) + b"DICM", False),
        ("IM0003", b"", False),
        ("a.mp4", b"ftyp", False),
        ("DICOMDIR", bytes(128) + b"DICM", False),
        ("dicomdir", bytes(128) + b"DICM", False),
    ],
)
def test_a_file_is_known_by_its_name_or_its_first_bytes(tmp_path, name, content, known):
    path = tmp_path / name
    path.write_bytes(content)
    assert is_dicom(path) == known


def test_what_cannot_be_opened_is_none(tmp_path):
    assert not is_dicom(tmp_path)
    assert not is_dicom(tmp_path / "gone")


def test_without_pydicom_the_line_says_how_to_get_it(tmp_path, monkeypatch):
    needs_pydicom(tmp_path)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(SourceError, match=r"pip install 'fetalstream\[dicom\]'"):
        needs_pydicom(tmp_path)
