from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.readers.local_path import local_path, region_of


def test_a_region_behind_the_name_is_no_part_of_the_path(tmp_path):
    clip = tmp_path / "clip.dcm"
    clip.touch()
    assert local_path(str(clip)) == clip
    assert region_of(str(clip)) is None
    assert local_path(f"{clip}#region=12") == clip
    assert region_of(f"{clip}#region=12") == 12


def test_a_file_that_is_really_called_so_comes_first(tmp_path):
    (tmp_path / "clip").touch()
    named = tmp_path / "clip#region=2"
    named.touch()
    assert local_path(str(named)) == named
    assert region_of(str(named)) is None
    assert region_of(f"{named}#region=3") == 3


@pytest.mark.parametrize("behind", ["#region=0", "#region=100", "#region=", "#region=x", "#Region=1", "#region=1 "])
def test_only_a_number_from_1_to_99_is_a_region(tmp_path, behind):
    (tmp_path / "clip").touch()
    assert local_path(f"{tmp_path / 'clip'}{behind}") is None
    assert region_of(f"{tmp_path / 'clip'}{behind}") is None


@given(st.text())
def test_whatever_is_written_is_a_path_that_exists_or_none(name):
    found = local_path(name)
    assert found is None or (found.exists() and str(Path(name.partition("#region=")[0])) in str(found))


def test_no_name_is_not_the_current_folder():
    assert local_path("") is None
    assert local_path("x" * 5000) is None
