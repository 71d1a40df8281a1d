import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.streamer.phantom.interface import NAMES, RulerStyle, draw_interface, draw_ruler

WINDOW = (80, 60, 560, 440)


def style(**changes):
    values = {
        "x": 40, "side": 1, "steps_mm": (5.0, 10.0, 50.0), "lengths": (3, 7, 12), "colour": (200, 210, 220),
        "line": False, "digits": False, **changes,
    }  # fmt: skip
    return RulerStyle(**values)


def ruler(spacing_mm=0.25, top=60.0, bottom=440.0, **changes):
    screen = np.zeros((480, 640, 3), np.uint8)
    draw_ruler(screen, style(**changes), top, bottom, spacing_mm)
    return screen


def runs(screen, side=1):
    """Row and length of each tick."""
    lit = screen.any(axis=2)
    return [(int(y), int(lit[y].sum())) for y in np.flatnonzero(lit[:, 40])]


@settings(max_examples=40)
@given(st.floats(0.08, 0.5), st.floats(20, 100), st.sampled_from([1, -1]))
def test_ticks_stand_for_what_they_say_from_the_skin_down(spacing_mm, top, side):
    found = runs(ruler(spacing_mm, top, side=side))
    assert found[0][0] == round(top)
    depths = [(y - top) * spacing_mm for y, _ in found]
    for count, depth in enumerate(depths):
        assert depth == pytest.approx(5 * count, abs=0.51 * spacing_mm)
    assert (440 - top) * spacing_mm - depths[-1] <= 5 + spacing_mm + 1e-9


def test_the_longest_kind_that_falls_on_a_depth_is_drawn():
    lengths = [length - 1 for _, length in runs(ruler(0.25))]
    assert lengths[:11] == [12, 3, 7, 3, 7, 3, 7, 3, 7, 3, 12]


def test_ticks_run_to_the_side_they_are_told():
    left, right = ruler(side=-1).any(axis=(0, 2)), ruler(side=1).any(axis=(0, 2))
    assert np.flatnonzero(right).min() == 40
    assert np.flatnonzero(left).max() == 40


def test_a_line_runs_along_the_ticks_from_end_to_end():
    lit = ruler(line=True).any(axis=2)[:, 40]
    assert lit[60:440].all()
    assert not lit[:60].any()
    assert not lit[440:].any()


def test_digits_stand_on_the_other_side_of_the_ticks():
    plain, written = ruler(), ruler(digits=True)
    added = (written != plain).any(axis=2)
    assert added.any()
    assert np.flatnonzero(added.any(axis=0)).max() < 40


def test_ticks_of_one_length_have_no_digits():
    np.testing.assert_array_equal(
        ruler(steps_mm=(10.0,), lengths=(7,), digits=True), ruler(steps_mm=(10.0,), lengths=(7,))
    )


@pytest.mark.parametrize("seed", range(12))
def test_an_interface_leaves_room_for_the_scan_and_is_always_the_same(seed):
    screen = draw_interface(640, 480, WINDOW, seed)
    assert screen.shape == (480, 640, 3)
    np.testing.assert_array_equal(screen, draw_interface(640, 480, WINDOW, seed))
    inside = screen[200:400, 240:400]
    assert not inside.any()
    assert screen[2:20, 4:150].max() > 100, "a name"


def test_interfaces_differ():
    screens = [draw_interface(640, 480, WINDOW, seed) for seed in range(6)]
    for one in range(6):
        for other in range(one):
            assert (screens[one] != screens[other]).any()


def test_the_names_are_nobodys():
    assert all(any(word in name for word in ("TEST", "SAMPLE", "EXAMPLE", "PHANTOM")) for name in NAMES)
