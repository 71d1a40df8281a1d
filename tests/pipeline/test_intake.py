from pipeline.intake import Intake
from streamer.sector import Rectangle
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
