from pathlib import Path

import pytest

from fetalstream.tui.settings.scanners import MAX_BYTES, regions


def test_the_users_scanners_are_among_the_choices_and_what_is_damaged_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "fetalstream" / "scanners"
    folder.mkdir(parents=True)
    (folder / "room-2.toml").write_text('name = "room-2"\nwidth = 975\nheight = 735\nsector = [1, 2, 3, 4]')
    (folder / "damaged.toml").write_text("name = [")
    (folder / "huge.toml").write_text("#" * (MAX_BYTES + 1))
    found = {region.words: region.value for region in regions()}
    assert found["find it on the screen"] == "auto"
    assert found["the whole frame, text and all"] is None
    assert found["scanner room-2"]["sector"] == [1, 2, 3, 4]
    assert not {"scanner damaged", "scanner huge"} & set(found)
