import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.readout.gestation import (
    GRID_DAYS,
    HALF_WIDTHS,
    ExamGestation,
    geometric_mask,
    largest_head,
    reference_readout,
    span,
)
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.streamer.growth import who_hc_mm

WIDE_MM = 300.0  # a frame in which every head fits


def peak(day, width=12.0):
    """A row with one smooth peak."""
    return (-(((GRID_DAYS - day) / width) ** 2)).astype(np.float32)


def wavering(day):
    """A row whose best days lie in two runs, far apart."""
    return np.maximum(peak(day), peak(day + 80))


def show(exam, row, segment=None, **changed):
    arguments = {
        "plane_sure": True,
        "spacing_mm": 0.6,
        "frame_width_mm": WIDE_MM,
        "aspect": 0.75,
        "repeated": False,
    }
    return exam.update(row, segment or Segment(), **(arguments | changed))


def test_the_grid_is_every_day_from_14w0d_to_38w6d():
    assert GRID_DAYS[0] == 98
    assert GRID_DAYS[-1] == 272
    assert GRID_DAYS.size == 175


def test_the_readout_is_the_middle_of_the_best_fifteen():
    assert reference_readout(peak(150)) == 150
    assert span(peak(150)) == 14


def test_ties_go_to_the_earlier_day():
    assert reference_readout(np.zeros(175)) == GRID_DAYS[7]


def test_a_wavering_row_has_a_wide_span():
    assert span(wavering(120)) > 80


@pytest.mark.parametrize("bad", [np.full(175, np.nan), np.full(175, -np.inf)])
def test_rows_without_fifteen_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="15 finite"):
        reference_readout(bad)


def test_the_largest_head_of_the_usual_frames():
    assert largest_head(540 / 800) == pytest.approx(0.77, abs=0.005)
    assert largest_head(1.0) == pytest.approx(0.996, abs=0.005)
    # The same frame on its side: the same head, as a share of another width.
    assert largest_head(2.0) == pytest.approx(largest_head(0.5) * 2)


@given(st.floats(0.3, 3.0))
def test_the_largest_head_grows_with_the_frame(aspect):
    assert largest_head(aspect) <= largest_head(aspect * 1.01) + 1e-12


def test_the_mask_leaves_out_the_heads_that_would_not_fit():
    # 60 mm wide at 4:3 holds a mean diameter of 51.5 mm, an HC of 162 mm, about 19 weeks.
    masked = geometric_mask(peak(230), frame_width_mm=60, aspect=0.75)
    last = GRID_DAYS[np.isfinite(masked)][-1]
    assert who_hc_mm(last / 7) <= 0.859 * 60 * np.pi < who_hc_mm((last + 1) / 7) + 1
    assert reference_readout(masked) == last - 7


def test_a_frame_too_narrow_for_any_head_masks_nothing():
    assert geometric_mask(peak(230), frame_width_mm=10, aspect=0.75) is not None
    assert reference_readout(geometric_mask(peak(230), frame_width_mm=10, aspect=0.75)) == 230


def test_the_reasons_in_their_order():
    exam = ExamGestation()
    assert show(exam, None, spacing_mm=None, plane_sure=False).missing == "no_spacing"
    assert show(exam, None, plane_sure=False).missing == "not_brain"
    assert show(exam, None).missing == "preparing"
    assert show(exam, peak(98)).missing == "out_of_range"
    assert show(exam, peak(272)).missing == "out_of_range"
    assert show(exam, wavering(120)).missing == "uncertain"


def test_one_sure_frame_gives_an_estimate_with_an_interval():
    outcome = show(ExamGestation(), peak(143))
    assert outcome.missing is None
    found = outcome.gestation
    assert found is not None
    assert (found.days, found.low_days, found.high_days) == (143, 136, 150)  # ±7 d between 19 and 22 weeks
    assert (found.frame_days, found.frames, found.zooms) == (143, 1, 1)


def test_an_unsure_frame_carries_what_the_exam_knows_but_adds_nothing():
    exam = ExamGestation()
    show(exam, peak(143))
    found = show(exam, wavering(180)).gestation
    assert found is not None
    assert (found.days, found.frames) == (143, 1)
    assert found.frame_days != 143


def test_a_frame_that_is_no_brain_carries_nothing_even_when_the_exam_knows():
    exam = ExamGestation()
    show(exam, peak(143))
    assert show(exam, peak(143), plane_sure=False) == (None, "not_brain")


def test_repeats_of_a_freeze_add_nothing():
    exam = ExamGestation()
    show(exam, peak(143))
    for _ in range(30):
        found = show(exam, peak(180), repeated=True).gestation
    assert found is not None
    assert (found.days, found.frames) == (143, 1)


def test_a_head_that_is_only_just_a_brain_counts_for_no_age():
    exam = ExamGestation()
    assert show(exam, peak(120), unsure=True).missing == "uncertain"
    show(exam, peak(143))
    found = show(exam, peak(120), unsure=True).gestation
    assert found is not None
    assert (found.days, found.frames) == (143, 1)


def test_many_frames_at_one_zoom_do_not_outvote_other_zooms():
    exam = ExamGestation()
    for _ in range(1000):
        show(exam, peak(190), spacing_mm=0.3)
    for spacing in (0.4, 0.5, 0.6):
        for _ in range(30):
            found = show(exam, peak(150), spacing_mm=spacing).gestation
    assert found is not None
    assert (found.days, found.zooms) == (pytest.approx(150, abs=0.5), 4)


def test_the_interval_shrinks_with_zooms_and_not_with_frames():
    exam = ExamGestation()
    widths = []
    for spacing in (0.4, 0.4, 0.4, 0.6, 0.8):
        found = show(exam, peak(143), spacing_mm=spacing).gestation
        assert found is not None
        widths.append(found.high_days - found.low_days)
    assert widths[0] == widths[1] == widths[2] > widths[3] > widths[4] > 14 * 0.55**0.5


def test_a_fifth_of_frames_from_another_head_have_no_say():
    alone, mixed = ExamGestation(), ExamGestation()
    rng = np.random.default_rng(3)
    for number in range(200):
        spacing_mm = rng.choice([0.4, 0.5, 0.6])
        day = 143 + int(rng.integers(-3, 4))
        own = show(alone, peak(day), spacing_mm=spacing_mm).gestation
        found = show(mixed, peak(day), spacing_mm=spacing_mm).gestation
        if number % 4 == 3:
            found = show(mixed, peak(230), spacing_mm=0.2).gestation
    assert own is not None
    assert found is not None
    assert found.days == pytest.approx(own.days, abs=0.1)


def test_within_one_zoom_the_newest_frames_win():
    exam = ExamGestation()
    for day in [143] * 30 + [170] * 60:
        found = show(exam, peak(day)).gestation
    assert found is not None
    assert found.days == pytest.approx(170, abs=0.5)


def test_a_spacing_that_is_read_a_little_off_is_no_other_zoom():
    exam = ExamGestation()
    for spacing in (0.400, 0.406, 0.395, 0.410, 0.402):
        found = show(exam, peak(143), spacing_mm=spacing).gestation
    assert found is not None
    assert found.zooms == 1


def test_the_median_moves_in_hours():
    exam = ExamGestation()
    for day in (143, 143, 144):
        found = show(exam, peak(day)).gestation
    assert found is not None
    assert found.days == pytest.approx(143.25)


def test_what_zooms_share_is_left():
    for shared, half in ((0.0, 3.5), (1.0, 7.0)):
        exam = ExamGestation(shared=shared)
        for spacing in (0.2, 0.3, 0.4, 0.5):
            found = show(exam, peak(143), spacing_mm=spacing).gestation
        assert found is not None
        assert found.high_days - found.days == pytest.approx(half)


@pytest.mark.parametrize("begun", [Segment(exam="next"), Segment(scale=1)], ids=str)
def test_ages_end_with_the_examination_and_with_the_operators_scale(begun):
    exam = ExamGestation()
    show(exam, peak(143))
    assert show(exam, wavering(120), begun).missing == "uncertain"
    found = show(exam, peak(200), begun).gestation
    assert found is not None
    assert (found.days, found.frames, found.zooms) == (200, 1, 1)


def test_the_models_own_intervals_are_used():
    found = show(ExamGestation([(100.0, 3.0), (150.0, 5.0)]), peak(143)).gestation
    assert found is not None
    assert found.high_days - found.days == 3
    with pytest.raises(ValueError, match="rising"):
        ExamGestation([(150.0, 5.0), (100.0, 3.0)])


@pytest.mark.parametrize("day", [110, 140, 170, 230])
def test_the_table_of_half_widths_is_read_by_predicted_age(day):
    found = show(ExamGestation(), peak(day)).gestation
    assert found is not None
    assert found.high_days - found.days == [width for start, width in HALF_WIDTHS if start <= day][-1]


@given(st.lists(st.tuples(st.integers(98, 272), st.floats(1e-4, 1e4), st.booleans()), max_size=60))
def test_the_estimate_stays_between_the_days_seen(frames):
    exam = ExamGestation()
    seen = []
    for day, spacing, repeated in frames:
        outcome = show(exam, peak(day), spacing_mm=spacing, repeated=repeated)
        assert (outcome.gestation is None) != (outcome.missing is None)
        if not repeated and 105 < day < 265:
            seen.append(day)
        if outcome.gestation is not None:
            assert min(seen) - 0.5 <= outcome.gestation.days <= max(seen) + 0.5
            assert outcome.gestation.frames == len(seen)
