"""Best frames as DICOM Secondary Capture images (PS3.3 A.8.1), by highdicom."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid
from pydicom.valuerep import DA, TM

from fetalstream.pipeline.wire import NOTICE, Keyframe
from fetalstream.tui.export.identity import Identity
from fetalstream.tui.record.exams import Exam
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.record.session_files import safe_name
from fetalstream.tui.record.session_reader import open_picture
from fetalstream.tui.state.keyframe_review import BestFrame
from fetalstream.tui.state.text import label_words, plain, probability, weeks_days

SERIES_DESCRIPTION: Final = f"fetalstream: {NOTICE}"
_SERIES_NUMBER: Final = 9000  # beside a scanner's own, which count from 1
_CONVERSIONS: Final = {"phantom": "SYN", "camera": "DI", "network": "DI"}
_RULER: Final = "ruler"


class Capture(NamedTuple):
    """An image and a file name without the patient's; ``dataset`` is None if the frame's picture was not saved."""

    name: str
    dataset: Dataset | None


def captures(recording: Recording, exams: list[Exam], identity: Identity, version: str) -> Iterator[Capture]:
    """Yield an image for the best frame of each plane, and for those that the operator took or accepted.

    The examinations of one id are one study, each stream in it one series. Identifiers follow from session, frame and
    identity: the same export made twice is the same images, and one under another identity is others.

    Args:
        recording: the session of ``exams``.
        exams: see `tui.record.exams.exams_of`.
        identity: written into the images and nowhere else.
        version: of fetalstream.
    """
    run = str(recording.about.get("run", ""))
    sources = {str(each.get("stream")): each for each in recording.sources()}
    for place, exam in enumerate(exams):
        seed = [run, exam.exam, hashlib.sha256(repr(identity).encode()).hexdigest()]
        series = _Series(
            exam=exam,
            study_uid=identity.study_uid or generate_uid(entropy_srcs=[*seed, "study"]),
            series_uid=generate_uid(entropy_srcs=[*seed, exam.stream]),
            number=_SERIES_NUMBER + place,
            kind=str(sources.get(exam.stream, {}).get("kind")),
            about=recording.about,
            version=version,
        )
        for number, best in enumerate(exam.shown(), start=1):
            pixels = _pixels(recording, best.keyframe)
            name = f"{safe_name(exam.stream)}-{number:02}-{safe_name(best.plane)}-{safe_name(best.keyframe)[:8]}"
            uid = generate_uid(entropy_srcs=[*seed, exam.stream, best.keyframe])
            yield Capture(name, None if pixels is None else _image(pixels, best, number, uid, series, identity))


class _Series(NamedTuple):
    exam: Exam
    study_uid: str
    series_uid: str
    number: int
    kind: str
    about: Mapping[str, Any]
    version: str


def _image(pixels: np.ndarray, best: BestFrame, number: int, uid: str, series: _Series, identity: Identity) -> Dataset:
    announced = series.exam.keyframes[best.keyframe]
    spacing_mm = announced.frame.spacing_mm
    begun, taken = _local(series.exam.started), _local(announced.wall_time)
    image = SCImage(
        pixels,
        photometric_interpretation="MONOCHROME2" if pixels.ndim == 2 else "RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),  # taken out again below
        study_instance_uid=series.study_uid,
        series_instance_uid=series.series_uid,
        series_number=series.number,
        sop_instance_uid=uid,
        instance_number=number,
        manufacturer="fetalstream",
        manufacturer_model_name=plain(_model(series.about).get("name"), 64),
        software_versions=plain(series.version, 64),
        series_description=SERIES_DESCRIPTION,
        specific_character_set="ISO_IR 192",
        patient_id=identity.patient_id,
        patient_name=identity.patient_name,
        patient_birth_date=identity.patient_birth_date,
        accession_number=identity.accession,
        study_id=identity.study_id,
        study_date=begun.date(),
        study_time=begun.time(),
        content_date=taken.date(),
        content_time=taken.time(),
        content_qualification="RESEARCH",
        pixel_spacing=None if spacing_mm is None else (spacing_mm, spacing_mm),
    )
    # Nobody knows how the fetus lies, nor which side is in view: unknown is empty (PS3.3 C.7.6.1, C.7.3.1).
    image.PatientOrientation, image.Laterality = [], ""
    image.Modality = "OT" if series.kind == "phantom" else "US"
    image.ConversionType = _CONVERSIONS.get(series.kind, "WSD")
    image.DateOfSecondaryCapture, image.TimeOfSecondaryCapture = DA(taken.date()), TM(taken.time())
    image.TimezoneOffsetFromUTC = taken.strftime("%z")
    if spacing_mm is not None and announced.frame.spacing_from == _RULER:
        # The ruler that the scanner draws is an object of known size in the picture (PS3.3 10.7.1.2).
        image.PixelSpacingCalibrationType = "FIDUCIAL"
        image.PixelSpacingCalibrationDescription = "depth ruler on the screen"
    image.ImageComments = _comments(best, announced, series)
    return image


def _comments(best: BestFrame, announced: Keyframe, series: _Series) -> str:
    plane = label_words(best.plane, 40) + ("" if best.subplane is None else f", {label_words(best.subplane, 40)}")
    comments = [NOTICE, f"plane: {plane}"]
    if announced.score is not None:
        parts = ", ".join(f"{name} {probability(value)}" for name, value in best.parts.items())
        comments.append(f"score {probability(announced.score)}" + (f" ({parts})" if parts else ""))
    if best.gestation is not None:
        age = best.gestation
        interval = f"{weeks_days(age.low_days)} to {weeks_days(age.high_days)}"
        comments.append(f"age of the examination so far {weeks_days(age.days)} (90% interval {interval})")
    comments += [
        word for word, true in (("accepted", best.accepted), ("taken by the operator", best.by_operator)) if true
    ]
    if announced.frame.spacing_from is not None:
        comments.append(f"spacing from: {announced.frame.spacing_from}")
    model = _model(series.about)
    comments.append(f"model {model.get('name')}, weights {str(model.get('weights_sha256'))[:12]}")
    if not series.exam.calibrated:
        comments.append("UNCALIBRATED")
    return "; ".join(plain(each, 200) for each in comments)


def _model(about: Mapping[str, Any]) -> dict[str, Any]:
    model = about.get("model")
    return dict(model) if isinstance(model, dict) else {}


def _pixels(recording: Recording, keyframe: str) -> np.ndarray | None:
    """Return a picture, gray (H, W) or RGB (H, W, 3), uint8; None if it was not saved or is damaged or too large."""
    picture = open_picture(recording.picture(keyframe) or b"")
    return None if picture is None else np.asarray(picture)


def _local(stamp: str) -> datetime:
    """Return an RFC 3339 time in the local time zone, which archives go by."""
    try:
        return datetime.fromisoformat(stamp).astimezone()
    except ValueError:
        return datetime.fromtimestamp(0, UTC)


def file_of(dataset: Dataset) -> bytes:
    """Return an image as a whole DICOM file (PS3.10)."""
    packed = io.BytesIO()
    dataset.save_as(packed, enforce_file_format=True)
    return packed.getvalue()
