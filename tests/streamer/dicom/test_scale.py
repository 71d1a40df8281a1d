"""The US Region Calibration Module, whatever stands in it."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fetalstream.streamer.dicom.scale import Scale, scale_of, scale_of_elements

COLUMNS, ROWS = 640, 480


def region(**changes):
    """A scan in centimetres, 0.2 mm a pixel, as scanners write it; a change to None leaves the element out."""
    values = {
        "RegionSpatialFormat": 1, "RegionDataType": 1, "PhysicalUnitsXDirection": 3, "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02, "PhysicalDeltaY": 0.02, "RegionLocationMinX0": 100, "RegionLocationMinY0": 50,
        "RegionLocationMaxX1": 500, "RegionLocationMaxY1": 400, **changes,
    }  # fmt: skip
    return SimpleNamespace(**{name: value for name, value in values.items() if value is not None})


def scale(*regions, choice=None):
    return scale_of(regions, COLUMNS, ROWS, choice)


def test_centimetres_become_millimetres_and_nothing_is_said():
    found = scale(region())
    assert found.spacing_mm == pytest.approx((0.2, 0.2))
    assert found.warning is None


def test_a_file_without_regions_has_no_scale_and_nothing_to_say():
    assert scale() == Scale()
    assert Scale().aspect == 1.0


@pytest.mark.parametrize(
    "other",
    [
        region(RegionSpatialFormat=2),  # M-mode
        region(RegionSpatialFormat=3),  # spectral
        region(RegionDataType=2),  # colour flow
        region(RegionSpatialFormat=None),
        region(RegionDataType="tissue"),
        SimpleNamespace(),
    ],
)
def test_regions_that_show_no_tissue_in_two_dimensions_do_not_count(other):
    assert scale(other) == Scale()
    assert scale(other, region(), other).spacing_mm == pytest.approx((0.2, 0.2))


def test_of_several_scans_none_is_guessed_and_each_can_be_chosen():
    scans = region(), region(RegionSpatialFormat=2), region(PhysicalDeltaX=0.01, PhysicalDeltaY=0.01)
    both = scale(*scans)
    assert both.spacing_mm is None
    assert "2 scans" in both.warning
    assert "#region=1 or #region=3" in both.warning
    assert scale(*scans, choice=1).spacing_mm == pytest.approx((0.2, 0.2))
    assert scale(*scans, choice=3).spacing_mm == pytest.approx((0.1, 0.1))
    wrong = scale(*scans, choice=2)
    assert wrong.spacing_mm is None
    assert "region 2 is no two-dimensional scan" in wrong.warning


def test_a_choice_among_none_says_that_there_is_none():
    assert "it has none" in scale(choice=1).warning


@pytest.mark.parametrize(
    ("changes", "inside"),
    [
        ({"RegionLocationMinX0": 0, "RegionLocationMinY0": 0}, True),
        ({"RegionLocationMaxX1": COLUMNS - 1, "RegionLocationMaxY1": ROWS - 1}, True),
        ({"RegionLocationMaxX1": COLUMNS, "RegionLocationMaxY1": ROWS}, True),  # the edge after the last pixel
        ({"RegionLocationMaxX1": COLUMNS + 1}, False),
        ({"RegionLocationMaxY1": ROWS + 1}, False),
        ({"RegionLocationMinX0": -1}, False),
        ({"RegionLocationMinX0": 500}, False),
        ({"RegionLocationMaxY1": 50}, False),
        ({"RegionLocationMinX0": None}, False),
        ({"RegionLocationMaxY1": "far"}, False),
        ({"RegionLocationMaxX1": math.nan}, False),
    ],
)
def test_a_region_outside_the_picture_was_made_for_another(changes, inside):
    found = scale(region(**changes))
    assert (found.spacing_mm is not None) == inside
    assert (found.warning is None) == inside


@pytest.mark.parametrize(
    "changes",
    [
        {"PhysicalUnitsXDirection": 4},  # seconds
        {"PhysicalUnitsYDirection": 0},
        {"PhysicalUnitsXDirection": None},
        {"PhysicalDeltaX": None},
        {"PhysicalDeltaY": 0.0},
        {"PhysicalDeltaX": 0.2, "PhysicalDeltaY": 0.02},  # ten times as wide as high
        {"PhysicalDeltaX": 0.6, "PhysicalDeltaY": 0.6},  # 6 mm a pixel
        {"PhysicalDeltaX": 0.0004, "PhysicalDeltaY": 0.0004},
        {"PhysicalDeltaX": math.inf, "PhysicalDeltaY": 0.02},
        {"PhysicalDeltaX": "0,02"},
    ],
)
def test_a_scale_that_is_not_in_plausible_centimetres_is_not_used(changes):
    found = scale(region(**changes))
    assert found.spacing_mm is None
    assert "plausible centimetres" in found.warning


def test_a_depth_that_counts_upwards_is_as_long():
    assert scale(region(PhysicalDeltaY=-0.02)).spacing_mm == pytest.approx((0.2, 0.2))


@pytest.mark.parametrize(
    ("across", "down", "aspect"), [(0.2, 0.2, 1.0), (0.2001, 0.2, 1.0), (0.3, 0.2, 1.5), (0.2, 0.25, 0.8)]
)
def test_pixels_are_square_but_for_rounding_or_as_oblong_as_they_say(across, down, aspect):
    assert Scale((across, down)).aspect == pytest.approx(aspect)


ANYTHING = st.one_of(
    st.none(), st.integers(-3, 1000), st.floats(), st.text(max_size=3), st.lists(st.none(), max_size=1)
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no finding
@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(vars(region()), ANYTHING)).map(lambda few: region(**few)),
        max_size=4,
    ),
    st.none() | st.integers(-1, 5),
)
def test_whatever_a_damaged_file_holds_is_a_plausible_scale_or_none(regions, choice):
    found = scale_of(regions, COLUMNS, ROWS, choice)
    if found.spacing_mm is not None:
        assert found.warning is None
        assert all(0.005 <= mm <= 5.0 for mm in found.spacing_mm)
        assert 0.25 <= found.aspect <= 4
    elif any(vars(each) == vars(region()) for each in regions):
        assert found.warning is not None, "a scan that is not used is told of"


def whole(*regions, choice=None, **elements):
    """The scale of a file with these regions and further elements."""
    return scale_of_elements(SimpleNamespace(SequenceOfUltrasoundRegions=regions, **elements), COLUMNS, ROWS, choice)


def groups(*spacings):
    return [SimpleNamespace(PixelMeasuresSequence=[SimpleNamespace(PixelSpacing=each)]) for each in spacings]


def test_pixel_spacing_is_used_if_no_region_says_more():
    found = whole(PixelSpacing=[0.3, 0.15])
    assert found.spacing_mm == (0.15, 0.3)  # PS3.3 10.7.1.3: between rows first
    assert found.warning is None
    assert whole(region(RegionDataType=2), PixelSpacing=[0.3, 0.3]).spacing_mm == (0.3, 0.3)


def test_pixel_spacing_of_functional_groups_is_used_if_all_frames_agree():
    assert whole(SharedFunctionalGroupsSequence=groups([0.3, 0.3])).spacing_mm == (0.3, 0.3)
    assert whole(PerFrameFunctionalGroupsSequence=groups([0.3, 0.3], [0.3, 0.3])).spacing_mm == (0.3, 0.3)
    zoomed = whole(PerFrameFunctionalGroupsSequence=groups([0.3, 0.3], [0.2, 0.2]))
    assert zoomed.spacing_mm is None
    assert "different Pixel Spacings" in zoomed.warning


def test_a_region_and_a_pixel_spacing_that_contradict_each_other_are_both_refused():
    assert whole(region(), PixelSpacing=[0.201, 0.199]).spacing_mm == pytest.approx((0.2, 0.2))
    found = whole(region(), PixelSpacing=[0.02, 0.02])
    assert found.spacing_mm is None
    assert "contradict" in found.warning


@pytest.mark.parametrize(
    "elements",
    [
        {"PixelSpacing": [3.0, 3.0]},  # a picture of 1.9 m
        {"PixelSpacing": [0.003, 0.003]},
        {"PixelSpacing": [0.3, 0.03]},
        {"PixelSpacing": [0.3]},
        {"PixelSpacing": ["a", "b"]},
        {"PixelSpacing": [math.nan, 0.3]},
        {"PixelSpacing": [0.0, 0.3]},
    ],
)
def test_a_pixel_spacing_that_cannot_be_true_is_told_and_not_used(elements):
    found = whole(**elements)
    assert found.spacing_mm is None
    assert "Pixel Spacing" in found.warning


def test_regions_without_tissue_are_told_if_there_is_no_other_scale():
    for other in (region(RegionDataType=2), region(RegionSpatialFormat=2)):
        assert "none of its regions" in whole(other).warning
    # The time axis of an M-mode has no millimetres.
    assert whole(region(RegionSpatialFormat=2), PixelSpacing=[0.3, 0.3]).spacing_mm is None


@pytest.mark.parametrize(("delta", "known"), [(0.05, True), (0.085, True), (0.0997, False), (0.3, False), (0.5, False)])
def test_a_scan_deeper_than_any_is_millimetres_taken_for_centimetres(delta, known):
    found = whole(region(PhysicalDeltaX=delta, PhysicalDeltaY=delta))  # 401 by 351 pixels
    assert (found.spacing_mm is not None) == known
    if not known:
        assert "no scan is (millimetres taken for centimetres?)" in found.warning


@pytest.mark.parametrize(
    ("ratio", "aspect", "told"),
    [
        ([4, 3], 0.75, False),  # PS3.3 C.7.6.3.1.7: vertical first
        ([1, 1], 1.0, False),
        ([1, 2], 2.0, False),
        ([1, 9], 1.0, True),
        ([0, 1], 1.0, True),
        ([1], 1.0, True),
        ("1", 1.0, True),
        (None, 1.0, False),
    ],
)
def test_the_aspect_ratio_of_pixels_counts_where_there_is_no_spacing(ratio, aspect, told):
    found = whole(PixelAspectRatio=ratio)
    assert found.aspect == aspect
    assert (found.warning is not None) == told
    assert whole(region(), PixelAspectRatio=ratio).aspect == 1.0
