"""Ages and sizes as a person gives them."""

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.tui.settings.limits import read_age_s, read_size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"), [("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600), ("1.5d", 129_600), ("0d", 0)]
)
def test_an_age_is_hours_days_or_weeks(text: str, seconds: float) -> None:
    assert read_age_s(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "30m", "1y", "-1d", "1e3d", "nan d", "inf d", "30dd", "٣d", "999999d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"30d or 2w, got {text}")):
        read_age_s(text)


@pytest.mark.parametrize(
    ("text", "count_bytes"),
    [
        ("20GB", 20_000_000_000),
        ("1.5 TB", 1_500_000_000_000),
        ("500mb", 500_000_000),
        ("1kB", 1_000),
        ("0GB", 0),
        ("65536.002TB", 65_536_002_000_000_000),
    ],
)
def test_a_size_counts_in_thousands(text: str, count_bytes: int) -> None:
    assert read_size_bytes(text) == count_bytes


@given(st.integers(0, 99_999), st.integers(0, 999), st.sampled_from(["kB", "MB", "GB", "TB"]))
def test_every_size_of_a_known_unit_is_read_to_the_byte(whole: int, thousandths: int, unit: str) -> None:
    of_bytes = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit]
    expected = (whole * 1000 + thousandths) * of_bytes // 1000
    assert read_size_bytes(f"{whole}.{thousandths:03}{unit}") == expected


@given(st.text() | st.from_regex(r"[\d.+\-eE ]{0,12}[a-zA-Z]{0,3}", fullmatch=True))
def test_any_words_are_a_finite_amount_or_refused(text: str) -> None:
    for read in (read_age_s, read_size_bytes):
        with contextlib.suppress(ValueError):
            assert math.isfinite(read(text))
            assert read(text) >= 0
            assert text[0] in "0123456789"
