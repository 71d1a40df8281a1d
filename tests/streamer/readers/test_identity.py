import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.readers import identity
from fetalstream.streamer.readers.identity import _ENDS_BYTES


def test_a_file_is_known_by_its_content_wherever_it_lies_and_whatever_it_is_called(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    one, other = tmp_path / "DOE JANE.mp4", tmp_path / "elsewhere" / "b.mp4"
    for path in (one, other):
        path.write_bytes(b"the same")
    assert identity.of_file(one) == identity.of_file(other)
    other.write_bytes(b"the samf")
    assert identity.of_file(one) != identity.of_file(other)
    assert "DOE" not in identity.of_file(one)


@pytest.mark.parametrize("at", [0, _ENDS_BYTES - 1, 3 * _ENDS_BYTES - 1, 2 * _ENDS_BYTES])
def test_of_a_long_file_size_beginning_and_end_count(tmp_path, at):
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(3 * _ENDS_BYTES)
    before = identity.of_file(path)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x")
    assert identity.of_file(path) != before
    os.truncate(path, 3 * _ENDS_BYTES + 1)
    assert identity.of_file(path) != before


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_different_short_files_are_different(tmp_path_factory, one, other):
    folder = tmp_path_factory.mktemp("identity")
    (folder / "one").write_bytes(one)
    (folder / "other").write_bytes(other)
    same = identity.of_file(folder / "one") == identity.of_file(folder / "other")
    assert same == (one == other)


def test_a_folder_is_known_by_names_and_sizes_in_their_order(tmp_path):
    names = ["1.png", "2.png"]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(b"12")
    a, b = ([tmp_path / folder / name for name in names] for folder in ("a", "b"))
    known = identity.of_listing(a)
    assert identity.of_listing(b) == known
    assert identity.of_listing(b[::-1]) != known
    assert identity.of_listing(b[:1]) != known
    b[0].write_bytes(b"123")
    assert identity.of_listing(b) != known


def test_a_name_and_the_next_do_not_run_into_each_other(tmp_path):
    for name in ("ab", "c", "a", "bc"):
        (tmp_path / name).write_bytes(b"")
    one = identity.of_listing([tmp_path / "ab", tmp_path / "c"])
    assert one != identity.of_listing([tmp_path / "a", tmp_path / "bc"])


def test_names_that_are_no_text_are_names(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.png")
    path.write_bytes(b"1")
    assert len(identity.of_listing([path])) == 64


@pytest.mark.parametrize("of", [identity.of_file, lambda path: identity.of_listing([path])])
def test_what_cannot_be_read_is_told(tmp_path, of):
    with pytest.raises(SourceError, match=r"cannot be read .*; check"):
        of(tmp_path / "gone")
