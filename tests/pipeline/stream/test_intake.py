import numpy as np
import pytest

from fetalstream.pipeline.stream.intake import Intake
from fetalstream.streamer.capture.far_masker import FarMasker, told
from fetalstream.streamer.region.masker import Happening, Masked
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import black, frame, picture


def actions(intake, frames, exam="e"):
    return [intake.admit(taken, exam, 0, 0).action for taken in frames]


def test_every_kind_of_frame_finds_its_way():
    intake = Intake(Rectangle(0, 0, 50, 50))
    frames = [frame(0, picture(1)), frame(1, picture(1)), frame(2, black()), frame(3, picture(1)[:40])]
    assert actions(intake, frames) == ["analyse", "reuse", "blank", "refuse"]


def test_after_a_blank_a_refusal_an_epoch_or_an_exam_the_same_picture_is_looked_at_again():
    same = picture(1)
    for between in (frame(1, black()), frame(1, same[:40])):
        intake = Intake(Rectangle(0, 0, 50, 50))
        assert actions(intake, [frame(0, same), between, frame(2, same)])[-1] == "analyse"
    assert actions(Intake(), [frame(0, same), frame(1, same, epoch=1)]) == ["analyse", "analyse"]
    intake = Intake()
    assert actions(intake, [frame(0, same)], "one") + actions(intake, [frame(1, same)], "two") == ["analyse"] * 2


def test_a_new_sector_starts_afresh():
    intake = Intake()
    actions(intake, [frame(0, picture(1))])
    intake.set_sector(Rectangle(0, 0, 40, 40))
    admitted = intake.admit(frame(1, picture(1)), "e", 0, 0)
    assert (admitted.action, admitted.still, admitted.frame.width) == ("analyse", False, 40)


def test_the_operators_spacing_goes_before_the_sources():
    admitted = Intake(spacing_mm=0.25).admit(frame(0, spacing_mm=4.0), "e", 0, 0)
    assert (admitted.frame.spacing_mm, admitted.frame.spacing_from) == (0.25, "operator")


def test_a_refused_frame_says_why():
    admitted = Intake(Rectangle(0, 0, 500, 500)).admit(frame(0), "e", 0, 7)
    assert admitted.trouble is not None
    assert "500" in admitted.trouble
    assert "\n" not in admitted.trouble
    assert admitted.dropped == 7


@pytest.mark.parametrize("sector", [None, Rectangle(0, 0, 64, 64), Rectangle(0, 0, 32, 32)], ids=str)
def test_the_operators_spacing_ends_with_the_size_that_it_was_given_for(sector):
    intake = Intake(sector)
    intake.admit(frame(0), "e", 0, 0)
    intake.spacing_mm = 0.2
    assert intake.admit(frame(1), "e", 0, 0).frame.spacing_mm == 0.2
    small = np.ascontiguousarray(picture(2)[::2, ::2])
    intake.admit(frame(2, small, epoch=1, spacing_mm=None), "e", 0, 0)
    intake.set_sector(Rectangle(0, 0, 16, 16))  # the first picture of the new size may have been refused
    after = intake.admit(frame(3, small, epoch=1, spacing_mm=None), "e", 0, 0)
    assert (after.action, after.frame.spacing_mm, after.frame.spacing_from) == ("analyse", None, None)


def test_the_operators_spacing_ends_even_if_the_layout_changed_on_a_frame_that_was_refused():
    far = FarMasker(None, lambda _: None)
    intake = Intake(far)
    intake.spacing_mm = 0.2
    late = frame(0, spacing_mm=None)
    far.heard(told(0, Masked(late, None, (Happening("layout_changed"),)), revision=0))
    intake.set_sector(Rectangle(0, 0, 32, 32))
    assert intake.admit(late, "e", 0, 0).action == "refuse"
    known = frame(1, spacing_mm=None)
    far.heard(told(1, Masked(known, None), revision=1))
    admitted = intake.admit(known, "e", 0, 0)
    assert (admitted.action, admitted.frame.spacing_mm) == ("analyse", None)
