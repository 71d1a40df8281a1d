import string

import pytest

from fetalstream.tui.state.session import PLANES
from fetalstream.tui.state.text import label_words
from fetalstream.tui.widgets.letters import large


@pytest.mark.parametrize("words", [*string.ascii_uppercase, *string.digits, "20w3d", "-"])
def test_every_letter_is_three_rows_of_one_width(words: str) -> None:
    rows = large(words)
    assert rows is not None
    assert len({len(row) for row in rows}) == 1
    assert any(row.strip() for row in rows)


@pytest.mark.parametrize("label", [*PLANES, "other"])
def test_every_plane_fits_the_narrow_layout(label: str) -> None:
    rows = large(label_words(label).upper().replace("& ", ""))
    assert rows is not None
    assert len(rows[0]) <= 38


def test_what_has_no_shape_is_none() -> None:
    assert large("ß") is None
    assert large("") is None
