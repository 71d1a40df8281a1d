"""Levels of more than 8 bits, against pydicom's own windows."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from fetalstream.streamer.dicom.decoding import eight_bit_levels


def header(bits, **values):
    made = Dataset()
    made.BitsStored, made.SamplesPerPixel, made.PixelRepresentation = bits, 1, 0
    made.PhotometricInterpretation = "MONOCHROME2"
    for name, value in values.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(2047.5, 4095), (1000, 500), (40000, 20000)])
def test_a_window_is_what_pydicom_makes_of_it(function, center, width):
    made = header(16, WindowCenter=center, WindowWidth=width)
    if function is not None:
        made.VOILUTFunction = function
    wanted = apply_windowing(np.arange(1 << 16, dtype=np.uint16), made) * 255 / 65535
    np.testing.assert_allclose(eight_bit_levels(made), wanted, atol=0.51)


def test_twelve_bits_in_sixteen_are_as_bright_as_their_window_says():
    table = eight_bit_levels(header(16, WindowCenter=2047.5, WindowWidth=4095))
    assert [table[0], table[2047], table[4094], table[65535]] == [0, 128, 255, 255]


def test_rescaled_values_and_the_first_of_several_windows():
    made = header(12, WindowCenter=[0, 9], WindowWidth=[1001, 1], RescaleSlope=2, RescaleIntercept=-1000)
    table = eight_bit_levels(made)
    assert [table[250], table[500], table[749]] == [0, 128, 255]  # -500, 0 and 498


def test_the_window_of_a_functional_group_counts():
    window, group = Dataset(), Dataset()
    window.WindowCenter, window.WindowWidth = 2047.5, 4095
    group.FrameVOILUTSequence = [window]
    assert eight_bit_levels(header(16, SharedFunctionalGroupsSequence=[group]))[4094] == 255


@pytest.mark.parametrize("values", [{}, {"WindowWidth": 0, "WindowCenter": 5}, {"WindowCenter": 5}])
def test_without_a_window_all_bits_count_alike(values):
    table = eight_bit_levels(header(12, **values))
    assert [table[0], table[2048], table[4095]] == [0, 128, 255]
    assert len(table) == 4096


def test_eight_bits_are_left_as_they_are():
    assert eight_bit_levels(header(8, WindowCenter=50, WindowWidth=20)).tolist() == list(range(256))
