from typing import get_args

import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.wire import tables


def rows(table: str) -> dict[str, list[str]]:
    """Cells of each row by its name."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines() if "|" in line]
    assert len({len(row) for row in cells}) == 1, "a cell holds what ends a cell"
    return {row[0].strip().strip("`"): row for row in cells[2:]}


def test_every_command_event_and_kind_has_a_row_and_a_meaning() -> None:
    kinds = [kind.__struct_config__.tag for kind in get_args(wire.Message)]
    for table, names in ((tables.commands(), wire.COMMANDS), (tables.events(), wire.EVENTS), (tables.kinds(), kinds)):
        found = rows(table)
        assert list(found) == list(names)
        assert all(len(cell.split()) >= 1 for row in found.values() for cell in row)


def test_a_command_says_what_it_takes_and_gives() -> None:
    row = rows(tables.commands())["decide"]
    assert 'verdict ("accept", "reject" or "relabel")' in row[1]
    assert "plane (text or null, optional)" in row[1]
    assert "`number`" in row[2]
    assert row[4].startswith("the operator")
    assert rows(tables.commands())["keyframe"][2] == "`keyframe`, and a PNG"


def test_an_event_says_what_its_detail_holds() -> None:
    assert "`pts_seconds` (number, optional)" in rows(tables.events())["mark"][2]
    assert "nothing" in rows(tables.events())["paused"][2]


def test_a_kind_lists_its_own_fields_only() -> None:
    fields = rows(tables.kinds())["goodbye"][2]
    assert "`reason`" in fields
    assert "seq" not in fields


@pytest.mark.parametrize("name", wire.COMMANDS)
def test_a_meaning_is_one_sentence_that_begins_with_a_verb(name: str) -> None:
    said = tables.meaning(wire.COMMANDS[name])
    assert said[0].isupper()
    assert said.endswith(".")
    assert "\n" not in said
