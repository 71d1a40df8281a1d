import numpy as np
import pytest

from fetalstream.pipeline.stream.preparation import Preparation
from fetalstream.streamer.capture.remote_masker import RemoteMasker, to_message
from fetalstream.streamer.region.masker import Masked, RegionEvent
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import black, frame, picture


def actions(preparation, frames, exam="e"):
    if exam != preparation.segments.exam:
        preparation.segments.new_exam(exam, 0)
    return [preparation.prepare(taken).action for taken in frames]


def test_every_kind_of_frame_finds_its_way():
    preparation = Preparation(Rectangle(0, 0, 50, 50))
    frames = [frame(0, picture(1)), frame(1, picture(1)), frame(2, black()), frame(3, picture(1)[:40])]
    assert actions(preparation, frames) == ["analyse", "reuse", "blank", "refuse"]


def test_after_a_blank_a_refusal_an_epoch_or_an_exam_the_same_picture_is_looked_at_again():
    same = picture(1)
    for between in (frame(1, black()), frame(1, same[:40])):
        preparation = Preparation(Rectangle(0, 0, 50, 50))
        assert actions(preparation, [frame(0, same), between, frame(2, same)])[-1] == "analyse"
    assert actions(Preparation(), [frame(0, same), frame(1, same, epoch=1)]) == ["analyse", "analyse"]
    preparation = Preparation()
    assert (
        actions(preparation, [frame(0, same)], "one") + actions(preparation, [frame(1, same)], "two") == ["analyse"] * 2
    )


def test_a_new_sector_starts_afresh():
    preparation = Preparation()
    actions(preparation, [frame(0, picture(1))])
    preparation.set_sector(Rectangle(0, 0, 40, 40))
    prepared = preparation.prepare(frame(1, picture(1)))
    assert (prepared.action, prepared.still, prepared.frame.width) == ("analyse", False, 40)


def test_the_operators_spacing_goes_before_the_sources():
    preparation = Preparation()
    preparation.segments.set_spacing(0.25)
    prepared = preparation.prepare(frame(0, spacing_mm=4.0))
    assert (prepared.frame.spacing_mm, prepared.frame.spacing_from) == (0.25, "operator")


def test_a_refused_frame_says_why():
    prepared = Preparation(Rectangle(0, 0, 500, 500)).prepare(frame(0), dropped=7)
    assert prepared.trouble is not None
    assert "500" in prepared.trouble
    assert "\n" not in prepared.trouble
    assert prepared.dropped == 7


@pytest.mark.parametrize("sector", [None, Rectangle(0, 0, 64, 64), Rectangle(0, 0, 32, 32)], ids=str)
def test_the_operators_spacing_ends_with_the_size_that_it_was_given_for(sector):
    preparation = Preparation(sector)
    preparation.prepare(frame(0))
    preparation.segments.set_spacing(0.2)
    assert preparation.prepare(frame(1)).frame.spacing_mm == 0.2
    small = np.ascontiguousarray(picture(2)[::2, ::2])
    preparation.prepare(frame(2, small, epoch=1, spacing_mm=None))
    preparation.set_sector(Rectangle(0, 0, 16, 16))  # the first picture of the new size may have been refused
    after = preparation.prepare(frame(3, small, epoch=1, spacing_mm=None))
    assert (after.action, after.frame.spacing_mm, after.frame.spacing_from) == ("analyse", None, None)


def test_the_operators_spacing_ends_even_if_the_layout_changed_on_a_frame_that_was_refused():
    far = RemoteMasker(None, lambda _: None)
    preparation = Preparation(far)
    preparation.segments.set_spacing(0.2)
    late = frame(0, spacing_mm=None)
    far.receive(to_message(0, Masked(late, None, (RegionEvent("layout_changed"),)), revision=0))
    preparation.set_sector(Rectangle(0, 0, 32, 32))
    assert preparation.prepare(late).action == "refuse"
    known = frame(1, spacing_mm=None)
    far.receive(to_message(1, Masked(known, None), revision=1))
    prepared = preparation.prepare(known)
    assert (prepared.action, prepared.frame.spacing_mm) == ("analyse", None)
