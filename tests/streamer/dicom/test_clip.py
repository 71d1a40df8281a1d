"""Real files where they are at hand; made ones for what they do not hold."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless, generate_uid

from fetalstream.streamer.dicom.header import read_header
from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.sources import open_source

# name: frames, size, spacing in mm, second frame's time, what is warned of
REAL = {
    "OBXXXX1A.dcm": (1, (600, 800), 0.26229, None, None),
    "OBXXXX1A_rle_2frame.dcm": (2, (600, 800), 0.26229, 0.04, "assumed"),
    "US1_J2KR.dcm": (1, (480, 640), None, None, None),
    "US1_UNCR.dcm": (1, (480, 640), None, None, None),
    "examples_palette.dcm": (1, (350, 800), None, None, "outside the picture"),
    "examples_ybr_color.dcm": (30, (240, 320), None, 0.03333, "outside the picture"),
    "gdcm-US-ALOKA-16.dcm": (1, (480, 640), None, None, "2 scans side by side"),
    "gdcm-US-ALOKA-16.dcm#region=1": (1, (480, 640), 0.38265, None, None),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_give_their_frames_times_and_spacing(test_data, name):
    count, size, spacing_mm, second, warned = REAL[name]
    with open_source(f"{test_data}/dicom/{name}") as source:
        assert source.kind == "dicom"
        assert source.frames_expected == count
        frames = list(source)
    assert len(frames) == count
    assert all(frame.pixels.shape[:2] == size for frame in frames)
    assert frames[0].spacing_mm == (None if spacing_mm is None else pytest.approx(spacing_mm, rel=1e-4))
    assert frames[0].spacing_from == (None if spacing_mm is None else "dicom")
    if second is not None:
        assert frames[1].pts_seconds == pytest.approx(second, abs=1e-4)
    if warned is None:
        assert source.warnings == []
    else:
        assert any(warned in line for line in source.warnings)
    assert frames[0].pixels.max() > 100


def test_the_same_picture_in_two_compressions_is_the_same(test_data):
    one, other = (next(iter(open_source(f"{test_data}/dicom/{name}"))) for name in ("US1_J2KR.dcm", "US1_UNCR.dcm"))
    np.testing.assert_array_equal(one.pixels, other.pixels)


def test_what_nothing_decodes_names_the_package(test_data):
    with pytest.raises(SourceError, match="pip install python-gdcm"):
        open_source(f"{test_data}/dicom/JPGLosslessP14SV1_1s_1f_8b.dcm")


def region(**values) -> Dataset:
    made = Dataset()
    plain = {
        "RegionSpatialFormat": 1, "RegionDataType": 1, "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02, "PhysicalDeltaY": 0.02, "RegionLocationMinX0": 10, "RegionLocationMinY0": 5,
        "RegionLocationMaxX1": 59, "RegionLocationMaxY1": 44, **values,
    }  # fmt: skip
    for keyword, value in plain.items():
        setattr(made, keyword, value)
    return made


def written(path, regions=(), frames=3, **values):
    pixels = np.random.default_rng(0).integers(0, 256, (frames, 48, 64), np.uint8)
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    plain = {
        "PatientName": "Doe^Jane", "Rows": 48, "Columns": 64, "NumberOfFrames": frames, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7,
        "PixelRepresentation": 0, "FrameTime": 20.0, "SequenceOfUltrasoundRegions": list(regions),
        "PixelData": pixels.tobytes(), **values,
    }  # fmt: skip
    for keyword, value in plain.items():
        setattr(made, keyword, value)
    made.save_as(path, enforce_file_format=True)
    return pixels


def test_a_clip_comes_as_it_was_written(tmp_path):
    pixels = written(tmp_path / "a.dcm", [region()])
    with open_source(str(tmp_path / "a.dcm")) as source:
        frames = list(source)
    np.testing.assert_array_equal([frame.pixels for frame in frames], pixels)
    assert [frame.pts_seconds for frame in frames] == pytest.approx([0, 0.02, 0.04])
    assert {frame.spacing_from for frame in frames} == {"dicom"}
    assert frames[0].spacing_mm == pytest.approx(0.2)
    assert source.rate_hz == pytest.approx(50)
    assert source.warnings == []


@pytest.mark.parametrize(
    ("change", "spacing_mm"),
    [
        ({"RegionLocationMaxX1": 64}, 0.2),  # the edge after the last pixel
        ({"RegionLocationMaxX1": 65}, None),
        ({"PhysicalUnitsXDirection": 4}, None),  # seconds
        ({"RegionSpatialFormat": 2}, None),  # M-mode
        ({"PhysicalDeltaX": 90.0, "PhysicalDeltaY": 90.0}, None),
    ],
)
def test_a_spacing_that_cannot_be_trusted_is_none(tmp_path, change, spacing_mm):
    written(tmp_path / "a.dcm", [region(**change)])
    frame = next(iter(open_source(str(tmp_path / "a.dcm"))))
    assert frame.spacing_mm == (None if spacing_mm is None else pytest.approx(spacing_mm))


def test_pixels_that_are_not_square_are_made_square(tmp_path):
    written(tmp_path / "a.dcm", [region(PhysicalDeltaX=0.04)])
    frame = next(iter(open_source(str(tmp_path / "a.dcm"))))
    height, width = frame.pixels.shape
    assert width / height == pytest.approx(2 * 64 / 48, rel=0.03)
    assert width * frame.spacing_mm == pytest.approx(64 * 0.4, rel=0.03)


def test_a_folder_is_read_in_order_and_says_what_it_left_out_by_number(tmp_path):
    written(tmp_path / "Doe2.dcm", frames=2)
    written(tmp_path / "Doe10.dcm", frames=1)
    (tmp_path / "Doe3.dcm").write_bytes(b"nothing")
    with open_source(str(tmp_path)) as source:
        frames = list(source)
    assert [frame.epoch for frame in frames] == [0, 0, 1]
    assert any("number 2" in line for line in source.warnings)
    assert not any("Doe" in line for line in source.warnings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Rows": 4000, "Columns": 4000}, "cut short"),
        ({"Rows": 65535, "Columns": 65535}, "64 megapixels"),
        ({"NumberOfFrames": 100_000}, "cut short"),
        ({"NumberOfFrames": 10_000_000}, "frames"),
        ({"BitsAllocated": 32}, "unusual kind"),
        ({"PixelRepresentation": 1}, "signed"),
    ],
)
def test_bounds_are_checked_before_anything_is_decoded(tmp_path, change, words):
    written(tmp_path / "a.dcm", **change)
    with pytest.raises(SourceError, match=words) as caught:
        open_source(str(tmp_path / "a.dcm"))
    assert "Doe" not in str(caught.value)
    assert "\n" not in str(caught.value)


def compressed(path, syntax, fragment, **values):
    """A file of one compressed frame, or what says that it is one."""
    written(path, frames=1, **values)
    made = dcmread(path)
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate([fragment])
    made["PixelData"].VR = "OB"
    made.save_as(path, enforce_file_format=True)


def test_a_small_file_that_says_it_holds_a_huge_clip_is_refused_before_it_is_decoded(tmp_path):
    compressed(tmp_path / "a.dcm", RLELossless, b"\0" * 64, Rows=8000, Columns=8000, NumberOfFrames=100_000)
    with pytest.raises(SourceError, match="cut short"):
        open_source(str(tmp_path / "a.dcm"))


def test_a_compressed_frame_larger_than_its_file_says_is_damage_and_not_memory(tmp_path):
    out = io.BytesIO()
    Image.fromarray(np.zeros((48, 64), np.uint8)).save(out, "jpeg")
    bomb = bytearray(out.getvalue())
    at = bomb.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = (65_000).to_bytes(2, "big") * 2
    compressed(tmp_path / "a.dcm", JPEGBaseline8Bit, bytes(bomb))
    tracemalloc.start()
    with pytest.raises(SourceError, match="no picture"):
        list(open_source(str(tmp_path / "a.dcm")))
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_pixels_that_are_oblong_without_a_spacing_are_made_square_and_stay_unmeasured(tmp_path):
    pixels = written(tmp_path / "a.dcm", PixelAspectRatio=["4", "3"])
    frame = next(iter(open_source(str(tmp_path / "a.dcm"))))
    assert frame.pixels.shape == (64, 64)
    assert frame.spacing_mm is None
    assert frame.pixels.mean() == pytest.approx(pixels[0].mean(), abs=1)


def test_the_spacing_of_a_picture_without_regions_is_read(tmp_path):
    written(tmp_path / "a.dcm", PixelSpacing=[0.3, 0.15])
    frame = next(iter(open_source(str(tmp_path / "a.dcm"))))
    assert frame.pixels.shape == (96, 64)
    assert (frame.spacing_mm, frame.spacing_from) == (pytest.approx(0.15), "dicom")


def test_the_spacing_of_an_enhanced_image_is_read_and_nothing_else_of_its_groups(tmp_path):
    measures, group = Dataset(), Dataset()
    measures.PixelSpacing = [0.2, 0.2]
    group.PixelMeasuresSequence, group.PatientName = [measures], "Doe^Jane"
    written(tmp_path / "a.dcm", SharedFunctionalGroupsSequence=[group])
    assert next(iter(open_source(str(tmp_path / "a.dcm")))).spacing_mm == pytest.approx(0.2)
    assert "Doe" not in str(read_header(tmp_path / "a.dcm").elements)
