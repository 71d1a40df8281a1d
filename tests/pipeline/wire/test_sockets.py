import os
from pathlib import Path

import pytest

from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.pipeline.wire import lock, locked, runtime_folder, runtime_folders


def test_a_lock_tells_the_living(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert not locked(path)
    held = lock(path)
    assert locked(path)
    with pytest.raises(BlockingIOError):
        lock(path)
    held.close()
    assert not locked(path)


def test_a_runtime_folder_that_is_too_long_falls_back(monkeypatch: pytest.MonkeyPatch, short_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_path))
    assert runtime_folder() == short_path / "fetalstream"
    deep = short_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    endpoints_in(runtime_folder() / "235959-12345678")  # fits
    assert deep not in runtime_folder().parents


def test_a_link_is_no_lock(tmp_path: Path) -> None:
    """In a shared folder it could lead to somebody's file, which would be made or held."""
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        lock(tmp_path / "a.lock")
    assert not (tmp_path / "elsewhere").exists()


def test_a_listener_looks_where_an_engine_may_be(monkeypatch: pytest.MonkeyPatch, short_path: Path) -> None:
    for base in (str(short_path), "", "relative", str(short_path / "not there")):
        monkeypatch.setenv("XDG_RUNTIME_DIR", base)
        assert runtime_folder() in runtime_folders()
        assert all(folder.is_absolute() for folder in runtime_folders())
    assert runtime_folders()[-1].name == f"fetalstream-{os.geteuid()}"
