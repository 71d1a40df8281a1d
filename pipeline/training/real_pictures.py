"""Real pictures to train on, read from the folders that they are handed out in.

FETAL_PLANES_DB is read from ``fetal_planes/labels.csv``: most of its pictures are stored squeezed to a square, and are
stretched back to ``orig_width`` by ``orig_height``. FUGC shows the cervix, HC18 heads with their circumference, and
clips of adult lungs show what no fetus does. FOCUS is not read: its pictures are FETAL_PLANES_DB's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.evaluation.fetal_planes import patient_of
from fetalstream.pipeline.training.folds import NEVER, fold_of, refuse_reserved
from fetalstream.pipeline.wire import OTHER

Gray = npt.NDArray[np.uint8]

_LABELS: Final = {
    "abdomen": ("abdomen", None), "femur": ("femur", None), "thorax": ("heart", None), "cervix": ("cervix", None),
    "other": (OTHER, None), "brain_other": ("brain", None), "brain_tt": ("brain", "trans-thalamic"),
    "brain_tc": ("brain", "trans-cerebellum"), "brain_tv": ("brain", "trans-ventricular"),
}  # fmt: skip
_FRAMES_PER_CLIP: Final = 10


@dataclass(frozen=True, eq=False)
class RealPicture:
    """One real picture with its labels.

    Attributes:
        pixels: uint8 (H, W), as wide and high as the scanner drew it.
        dataset: data set that it is from.
        name: its file's name.
        subject: see `pipeline.training.folds`.
        label: plane or "other".
        subplane: subplane of the brain, or None.
        machine: make of the scanner; None if unknown.
        head_px: head circumference in pixels; None if unknown.
        head_mask: uint8 (H, W), not 0 within the skull; None if unknown.
    """

    pixels: Gray
    dataset: str
    name: str
    subject: str
    label: str
    subplane: str | None = None
    machine: str | None = None
    head_px: float | None = None
    head_mask: Gray | None = None

    @property
    def fold(self) -> int:
        """The fold of the subject."""
        return fold_of(self.dataset, self.subject)


def training_pictures(data: Path, held_out: int | None, machine_left_out: str | None = None) -> list[RealPicture]:
    """Read all real pictures that a training may see.

    Args:
        data: the folder that holds ``fetal_planes``, ``fugc``, ``hc18`` and ``video/lung``.
        held_out: fold to leave out; None leaves out no fold.
        machine_left_out: make of a scanner whose pictures of FETAL_PLANES_DB are left out.

    Raises:
        FileNotFoundError: a table or a picture is missing.
    """
    pictures = [
        picture
        for picture in all_pictures(data)
        if picture.fold not in (NEVER, held_out)
        and not (picture.dataset == "fetal_planes" and picture.machine == machine_left_out)
    ]
    for picture in pictures:
        refuse_reserved(picture.dataset, picture.subject, held_out)
    return pictures


def all_pictures(data: Path) -> Iterator[RealPicture]:
    """Read the pictures of all data sets, those of validation subjects too.

    Raises:
        FileNotFoundError: a table or a picture is missing.
    """
    yield from fetal_planes(data / "fetal_planes")
    yield from fugc(data / "fugc")
    yield from hc18(data / "hc18")
    yield from lungs(data / "video" / "lung")


def fetal_planes(folder: Path) -> Iterator[RealPicture]:
    """Read FETAL_PLANES_DB, each picture in its original shape.

    Raises:
        FileNotFoundError: the table or a picture is missing.
    """
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        pixels = unsqueezed(_gray(folder / row["file"]), int(row["orig_width"]), int(row["orig_height"]))
        label, subplane = _LABELS[row["class_"]]
        subject = patient_of(row["patient"])
        yield RealPicture(pixels, "fetal_planes", row["file"], subject, label, subplane, row["machine"])


def unsqueezed(pixels: Gray, width: int, height: int) -> Gray:
    """Resize a picture that was stored with another shape back to ``width`` by ``height``."""
    if pixels.shape == (height, width):
        return pixels
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def fugc(folder: Path) -> Iterator[RealPicture]:
    """Read the pictures of the cervix; each counts as a subject of its own, since who is who is not published.

    Raises:
        FileNotFoundError: a picture cannot be read.
    """
    for path in sorted(folder.glob("[0-9]*.png")):
        if not path.stem.endswith("_mask"):
            yield RealPicture(_gray(path), "fugc", path.name, path.stem, "cervix")


def hc18(folder: Path) -> Iterator[RealPicture]:
    """Read the heads of HC18 with their circumference and the mask of the skull.

    Raises:
        FileNotFoundError: the table, a picture or a mask is missing.
    """
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        name = row["image"]
        yield RealPicture(
            _gray(folder / "images" / name), "hc18", name, name.split("_", 1)[0], "brain",
            head_px=float(row["hc_mm"]) / float(row["pixel_size_mm"]), head_mask=_mask(folder / "masks" / name),
        )  # fmt: skip


def lungs(folder: Path) -> Iterator[RealPicture]:
    """Read ten frames of each clip of a lung; clips of one person have one subject.

    Raises:
        FileNotFoundError: a clip cannot be read.
    """
    for path in sorted(folder.glob("*.m*")):
        subject = path.stem.split("Image")[0] if path.stem.startswith("Reg_pat") else path.stem
        clip = cv2.VideoCapture(str(path))
        wanted = np.linspace(0, clip.get(cv2.CAP_PROP_FRAME_COUNT) - 3, _FRAMES_PER_CLIP).astype(int)
        for index in range(int(wanted[-1]) + 1):
            read, frame = clip.read()
            if not read:
                break
            if index in wanted:
                gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.uint8)
                yield RealPicture(gray, "lung", f"{path.name}#{index}", subject, OTHER)
        clip.release()


def _mask(path: Path) -> Gray | None:
    """Read a mask of two levels; None if the file holds something else, as some of the handed copy do."""
    pixels = _gray(path)
    return pixels if len(np.unique(pixels)) == 2 else None


def _gray(path: Path) -> Gray:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise FileNotFoundError(f"{path} cannot be read")
    return pixels.astype(np.uint8)
