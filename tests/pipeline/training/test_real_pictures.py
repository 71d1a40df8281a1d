import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.training.real_pictures import fetal_planes, hc18, lungs, unsqueezed


def test_a_picture_that_was_squeezed_gets_its_shape_back():
    drawn = np.zeros((300, 480), np.uint8)
    cv2.circle(drawn, (240, 150), 90, (200,), -1)
    squeezed = cv2.resize(drawn, (640, 640), interpolation=cv2.INTER_AREA)
    back = unsqueezed(squeezed, 480, 300)
    assert back.shape == drawn.shape
    assert np.abs(back.astype(int) - drawn).mean() < 2
    assert unsqueezed(drawn, 480, 300) is drawn


def test_a_twin_that_exists_in_both_forms_is_the_same_picture(test_data: Path):
    """FOCUS shows pictures of FETAL_PLANES_DB in their own shape."""
    with (test_data / "focus" / "focus.csv").open(newline="") as lines:
        twins = {f"{row['fp_image']}": row["focus_file"] for row in csv.DictReader(lines)}
    compared = 0
    for picture in fetal_planes(test_data / "fetal_planes"):
        twin = twins.get(Path(picture.name).stem)
        if twin is None or compared == 20:
            continue
        own = cv2.imread(str(test_data / "focus" / twin.replace("/", "_")), cv2.IMREAD_GRAYSCALE)
        assert picture.pixels.shape[1] / picture.pixels.shape[0] == pytest.approx(own.shape[1] / own.shape[0], rel=0.02)
        resized = cv2.resize(picture.pixels, own.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(resized.ravel(), own.ravel())[0, 1] > 0.97
        compared += 1
    assert compared >= 10


def test_labels_are_those_of_the_folders(test_data: Path):
    pictures = list(fetal_planes(test_data / "fetal_planes"))
    assert len(pictures) == 1268
    for picture in pictures:
        folder = Path(picture.name).parent.name
        assert picture.label == {"thorax": "heart", "other": "other"}.get(folder, folder.split("_")[0])
        assert (picture.subplane is not None) == (folder in {"brain_tt", "brain_tc", "brain_tv"})


def test_a_head_has_its_circumference_in_pixels_of_its_picture(test_data: Path):
    masked = [picture for picture in hc18(test_data / "hc18") if picture.head_mask is not None]
    assert len(masked) >= 590
    for picture in masked:
        rows, columns = np.nonzero(picture.head_mask)
        height, width = picture.head_mask.shape
        if rows.min() > 0 and rows.max() < height - 1 and columns.min() > 0 and columns.max() < width - 1:
            # A head is nearly round: the circle of the same area is at most 2% shorter.
            assert picture.head_px == pytest.approx(2 * np.sqrt(np.pi * len(rows)), rel=0.03)


def test_clips_of_one_person_are_one_subject(test_data: Path):
    pictures = list(lungs(test_data / "video" / "lung"))
    assert {picture.label for picture in pictures} == {"other"}
    assert len({picture.name.split("#")[0] for picture in pictures}) == 14
    assert len({picture.subject for picture in pictures}) == 10


def test_a_picture_that_is_missing_is_named(tmp_path):
    (tmp_path / "labels.csv").write_text("image,hc_mm,pixel_size_mm\n001_HC.png,170.0,0.5\n")
    with pytest.raises(FileNotFoundError, match="001_HC"):
        next(hc18(tmp_path))
