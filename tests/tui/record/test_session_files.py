import stat
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.record.session_files import (
    DamagedPicture,
    lock_folder,
    make_folder,
    safe_name,
    sweep_parts,
    with_notice,
    write_whole,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
PNG = cv2.imencode(".png", PIXELS)[1].tobytes()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_for_the_user_alone(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a" / "b")
    write_whole(folder / "file", b"old")
    write_whole(folder / "file", b"new")
    assert (folder / "file").read_bytes() == b"new"
    assert [mode(path) for path in (tmp_path / "a", folder, folder / "file")] == [0o700, 0o700, 0o600]
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_what_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_whole(tmp_path / "file", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "file", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keyframes" / "brain")
    (folder / ".x.part").touch()
    (folder / "y.png").touch()
    sweep_parts(tmp_path)
    assert [path.name for path in folder.iterdir()] == ["y.png"]


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with lock_folder(tmp_path), pytest.raises(BlockingIOError):
        lock_folder(tmp_path)
    lock_folder(tmp_path).close()


@given(st.text())
def test_a_name_from_outside_stays_in_its_folder(text: str) -> None:
    name = safe_name(text)
    assert 1 <= len(name) <= 64
    assert "/" not in name
    assert not name.startswith(".")
    assert (Path("/a") / name).parent == Path("/a")


def test_the_notice_is_in_the_picture_and_its_pixels_are_as_they_were() -> None:
    noted = with_notice(PNG)
    assert NOTICE.encode() in noted
    assert np.array_equal(cv2.imdecode(np.frombuffer(noted, np.uint8), cv2.IMREAD_UNCHANGED), PIXELS)
    assert with_notice(noted)  # still whole


@given(st.integers(0, len(PNG) - 1), st.integers(1, 255))
def test_no_damage_goes_unseen(at: int, change: int) -> None:
    damaged = bytearray(PNG)
    damaged[at] ^= change
    for bad in (bytes(damaged), PNG[:at], PNG + b"\0"):
        with pytest.raises(DamagedPicture):
            with_notice(bad)
