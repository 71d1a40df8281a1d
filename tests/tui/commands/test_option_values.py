"""What people write on the command line."""

import argparse

import pytest

from fetalstream.tui.commands import option_values


@pytest.mark.parametrize(("text", "value"), [("0.2", 0.2), ("10", 10.0), ("1e-2", 0.01)])
def test_a_spacing_is_millimetres(text, value):
    assert option_values.spacing(text) == value


@pytest.mark.parametrize("text", ["0", "-0.2", "nan", "inf", "5000", "1e308", "0,2", "0.2mm", ""])
def test_a_spacing_that_no_screen_has_is_refused_in_one_line(text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        option_values.spacing(text)
    assert "must be" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "words"])
def test_a_number_above_nothing_is_wanted(text):
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        option_values.positive(text)
