"""What people write on the command line."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fetalstream.tui.commands import option_values as values


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.positive, "0.25", 0.25),
        (values.depth, "50", 50.0),
        (values.size, "640x480", (640, 480)),
        (values.port, "0", 0),
        (values.port, "65535", 65_535),
        (values.sector, "auto", "auto"),
        (values.sector, "whole", "whole"),
        (values.sector, "1, 2, 30,40", [1, 2, 30, 40]),
        (values.count, "1", 1),
        (values.address, "pacs.example:104", ("pacs.example", 104)),
        (values.address, "[::1]:104", ("::1", 104)),
        (values.seed, "0", 0),
        (values.seeds, "3-5,9,4", [3, 4, 5, 9]),
        (values.model_file, "fitted.toml", Path("fitted.toml")),
    ],
)
def test_values_are_read(read: Callable[[str], Any], text: str, value: Any) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (values.positive, ["0", "-1", "nan", "inf", "x", ""]),
        (values.depth, ["0", "50.1", "deep"]),
        (values.size, ["640", "640x", "63x480", "640x9000", "-640x480", "axb"]),
        (values.port, ["65536", "-1", "http", "٣"]),
        (values.sector, ["1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,2,3,4", "1.5,2,3,4"]),
        (values.count, ["0", "-3", "one", "²"]),
        (values.address, ["pacs", ":104", "pacs:", "pacs:0", "pacs:65536", "pacs:x"]),
        (values.seed, ["-1", "1.5", "1234567890", ""]),
        (values.seeds, ["", "x", "5-3", "1000000", "-1"]),
        (values.model_file, ["fitted", "fitted.json"]),
    ],
)
def test_other_values_are_refused_with_what_was_wanted(read: Callable[[str], Any], texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError, match=r"must be|wanted"):
            read(text)


@pytest.mark.parametrize(("text", "value"), [("0.2", 0.2), ("2", 2.0), ("1e-2", 0.01)])
def test_a_spacing_is_millimetres(text, value):
    assert values.spacing(text) == value


@pytest.mark.parametrize(
    "text", ["0", "-0.2", "nan", "inf", "2.1", "0.009", "5000", "1e308", "1e-320", "True", "0,2", "0.2mm", ""]
)
def test_a_spacing_that_no_screen_has_is_refused_in_one_line(text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        values.spacing(text)
    assert "must be" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "words"])
def test_a_number_above_nothing_is_wanted(text):
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        values.positive(text)
