"""Files whose header says something else of the pixels than is there, against the arrays that were written."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    RLELossless,
)

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.sources import open_source

FRAMES, ROWS, COLUMNS = 6, 16, 24


def scan(channels=0):
    shape = (FRAMES, ROWS, COLUMNS, channels) if channels else (FRAMES, ROWS, COLUMNS)
    return np.random.default_rng(7).integers(0, 256, shape, np.uint8)


def smooth():
    """Gray frames that JPEG keeps within a few levels: a ramp, brighter in each frame."""
    ramp = np.linspace(10, 150, COLUMNS)[None, None] + 10 * np.arange(FRAMES)[:, None, None]
    return np.broadcast_to(ramp, (FRAMES, ROWS, COLUMNS)).astype(np.uint8)


def rle(frames):
    options = {
        "rows": ROWS, "columns": COLUMNS, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 8, "bits_stored": 8, "pixel_representation": 0, "number_of_frames": 1,
    }  # fmt: skip
    return [RLELosslessEncoder.encode(frame, **options) for frame in frames]


def jpeg(frames, mode="L", **options):
    out = []
    for frame in frames:
        packed = io.BytesIO()
        Image.fromarray(frame).convert(mode).save(packed, "jpeg", quality=95, **options)
        out.append(packed.getvalue())
    return out


def file_of(path, pixels, *, syntax=ExplicitVRLittleEndian, encoded_as=None, said=FRAMES, **elements):
    """Write a file whose meta information names one transfer syntax and whose data set has the encoding of another."""
    made = Dataset()
    values = {
        "Rows": ROWS, "Columns": COLUMNS, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0, "FrameTime": "40",
        **({} if said is None else {"NumberOfFrames": said}), **elements,
    }  # fmt: skip
    for name, value in values.items():
        setattr(made, name, value)
    made.PixelData = pixels
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = syntax.is_compressed and encoded_as is None
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.3.1", "1.2.3"
    head, body = io.BytesIO(), io.BytesIO()
    written = Dataset()
    written.file_meta = meta
    written.save_as(head, enforce_file_format=True)
    encoding = encoded_as or syntax
    implicit = encoding.is_implicit_VR
    made.save_as(body, implicit_vr=implicit, little_endian=encoding.is_little_endian)
    path.write_bytes(head.getvalue() + body.getvalue())
    return path


def read(path):
    with open_source(str(path)) as source:
        frames = list(source)
        return np.stack([frame.pixels for frame in frames]), [frame.pts_seconds for frame in frames], source.warnings


@pytest.mark.parametrize(
    ("syntax", "encoded_as"),
    [
        (ExplicitVRLittleEndian, ImplicitVRLittleEndian),
        (ImplicitVRLittleEndian, ExplicitVRLittleEndian),
        (ExplicitVRBigEndian, None),
    ],
)
def test_a_data_set_encoded_otherwise_than_its_transfer_syntax_says_comes_whole(tmp_path, syntax, encoded_as):
    pixels = scan()
    found, _, warnings = read(file_of(tmp_path / "a.dcm", pixels.tobytes(), syntax=syntax, encoded_as=encoded_as))
    np.testing.assert_array_equal(found, pixels)
    assert warnings == []


def test_pixels_that_are_not_compressed_although_the_file_says_so_are_read(tmp_path):
    pixels = scan()
    path = file_of(tmp_path / "a.dcm", pixels.tobytes(), syntax=RLELossless, encoded_as=ExplicitVRLittleEndian)
    np.testing.assert_array_equal(read(path)[0], pixels)


COLOURS = {"PhotometricInterpretation": "YBR_FULL_422", "SamplesPerPixel": 3, "PlanarConfiguration": 0}


def test_every_frame_of_an_uncompressed_subsampled_clip_comes_in_its_colours(tmp_path):
    luma = scan()
    stored = np.empty((FRAMES, ROWS, COLUMNS // 2, 4), np.uint8)
    stored[..., 0], stored[..., 1], stored[..., 2], stored[..., 3] = luma[..., ::2], luma[..., 1::2], 100, 160
    found, *_ = read(file_of(tmp_path / "a.dcm", stored.tobytes(), **COLOURS))
    # PS3.3 C.7.6.3.1.2, solved for red, green and blue
    blue, red = 100 - 128, 160 - 128
    wanted = luma[..., None] + np.array([1.402 * red, -0.344136 * blue - 0.714136 * red, 1.772 * blue])
    np.testing.assert_allclose(found, np.clip(wanted, 0, 255), atol=1.01)


def test_full_pixels_labelled_as_subsampled_are_read_as_they_are(tmp_path):
    luma = scan()
    stored = np.stack([luma, np.full_like(luma, 128), np.full_like(luma, 128)], -1)
    found, _, warnings = read(file_of(tmp_path / "a.dcm", stored.tobytes(), **COLOURS))
    np.testing.assert_array_equal(found, luma)
    assert warnings == []


@pytest.mark.parametrize("said", [None, 1, 4, 8])
@pytest.mark.parametrize("kind", ["native", "rle", "jpeg", "jpeg without offsets", "jpeg in pieces", "extended"])
def test_every_frame_that_is_there_comes_and_a_wrong_number_is_told(tmp_path, kind, said):
    pixels, values = (scan() if kind in ("native", "rle") else smooth()), {}
    if kind == "native":
        data, syntax = pixels.tobytes(), ExplicitVRLittleEndian
    elif kind == "rle":
        data, syntax = encapsulate(rle(pixels)), RLELossless
    else:
        syntax = JPEGBaseline8Bit
        frames = jpeg(pixels)
        pieces = 3 if kind == "jpeg in pieces" else 1
        data = encapsulate(frames, fragments_per_frame=pieces, has_bot=kind != "jpeg without offsets")
        if kind == "extended":
            data, offsets, lengths = encapsulate_extended(frames)
            values = {"ExtendedOffsetTable": offsets, "ExtendedOffsetTableLengths": lengths}
    found, times, warnings = read(file_of(tmp_path / "a.dcm", data, syntax=syntax, said=said, **values))
    assert len(found) == FRAMES
    np.testing.assert_allclose(found.astype(int), pixels, atol=4 if "jpeg" in kind or kind == "extended" else 0)
    assert times == pytest.approx([0.04 * number for number in range(FRAMES)])
    assert warnings == [f"says that it has {said or 1} frames, but holds 6; these are read"]


def test_a_frame_that_cannot_be_decoded_is_told_and_those_after_it_keep_their_times(tmp_path):
    frames = jpeg(smooth())
    frames[2] = b"\xff\xd8\xff\xd9" + bytes(20)
    found, times, warnings = read(file_of(tmp_path / "a.dcm", encapsulate(frames), syntax=JPEGBaseline8Bit))
    assert len(found) == 5
    assert times == pytest.approx([0, 0.04, 0.12, 0.16, 0.2])
    assert warnings == ["5 of 6 frames could be read; it is damaged"]


def test_a_subsampled_jpeg_labelled_as_red_green_and_blue_holds_luma_and_chroma(tmp_path):
    # Without the JFIF marker nothing but the sampling says so.
    bare = [
        frame[:2] + frame[4 + int.from_bytes(frame[4:6], "big") :] for frame in jpeg(smooth(), "RGB", subsampling=2)
    ]
    assert b"JFIF" not in bare[0]
    colours = {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    found, *_ = read(file_of(tmp_path / "a.dcm", encapsulate(bare), syntax=JPEGBaseline8Bit, **colours))
    assert found.shape == (FRAMES, ROWS, COLUMNS)
    np.testing.assert_allclose(found.astype(int), smooth(), atol=4)


def frame_header(marker, precision):
    body = bytes([precision]) + ROWS.to_bytes(2, "big") + COLUMNS.to_bytes(2, "big") + b"\1\1\x11\0"
    return b"\xff\xd8\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body + bytes(20)


@pytest.mark.parametrize(
    ("marker", "precision", "syntax", "words"),
    [
        (0xC1, 12, JPEGExtended12Bit, "JPEG Extended, and nothing installed decodes that; pip install python-gdcm"),
        (0xC1, 12, JPEGBaseline8Bit, "JPEG Extended, and nothing installed decodes that; pip install python-gdcm"),
        (0xC3, 8, JPEGBaseline8Bit, "JPEG Lossless.*nothing installed decodes that; pip install python-gdcm"),
        (0xC3, 8, JPEGLosslessSV1, "pip install python-gdcm"),
    ],
)
def test_whole_frames_that_nothing_decodes_name_the_package_and_not_damage(tmp_path, marker, precision, syntax, words):
    data = encapsulate([frame_header(marker, precision)] * FRAMES)
    path = file_of(tmp_path / "a.dcm", data, syntax=syntax, BitsAllocated=16, BitsStored=12, HighBit=11)
    with pytest.raises(SourceError, match=words) as caught:
        open_source(str(path))
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("encoding", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("meta", [False, True])
def test_a_file_without_its_head_is_told_what_writes_one(tmp_path, encoding, meta):
    path = file_of(tmp_path / "a.dcm", scan().tobytes(), syntax=ExplicitVRLittleEndian, encoded_as=encoding)
    content = path.read_bytes()[132:]
    if not meta:
        content = content[12 + int.from_bytes(content[8:12], "little") :]
        content = b"\x08\x00\x60\x00" + (b"\x02\0\0\0" if encoding.is_implicit_VR else b"CS\x02\x00") + b"US" + content
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"no DICOM file head.*dcmconv") as caught:
        open_source(str(path))
    assert "damaged" not in str(caught.value)
