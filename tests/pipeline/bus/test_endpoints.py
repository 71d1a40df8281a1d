import stat
from pathlib import Path

import pytest

from fetalstream.pipeline.bus.endpoints import (
    RunFolder,
    checked,
    endpoints_in,
    make_private,
    resolve_endpoints,
)
from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.wire import MAX_SOCKET_PATH_BYTES


@pytest.mark.parametrize(
    ("endpoint", "plain"),
    [
        ("tcp://127.0.0.1:5556", "tcp://127.0.0.1:5556"),
        ("tcp://localhost:5556", "tcp://127.0.0.1:5556"),
        ("tcp://127.9.8.7:*", "tcp://127.9.8.7:*"),
        ("tcp://[::1]:5556", "tcp://[::1]:5556"),
        ("ipc:///tmp/pub.sock", "ipc:///tmp/pub.sock"),
    ],
)
def test_local_endpoints_are_taken(endpoint: str, plain: str) -> None:
    assert checked(endpoint) == plain


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp://0.0.0.0:5556", "tcp://*:5556", "tcp://192.168.1.4:5556", "tcp://eth0:5556", "tcp://[::]:5556",
        "tcp://example.org:5556", "tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536", "udp://127.0.0.1:1",
        "inproc://x", "127.0.0.1:5556", "", "ipc://relative.sock", "ipc://@abstract", "ipc://*", "tcp://127.0.0.1:5556;x",
    ],
)  # fmt: skip
def test_what_others_could_reach_or_nobody_is_refused_in_one_line(endpoint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        checked(endpoint)
    assert "\n" not in str(caught.value)


def test_a_socket_name_that_the_system_would_cut_off_is_refused() -> None:
    name = "/" + "x" * (MAX_SOCKET_PATH_BYTES - 1)
    assert checked(f"ipc://{name}") == f"ipc://{name}"
    with pytest.raises(ConfigError, match="bytes long"):
        checked(f"ipc://{name}y")


def test_what_is_not_given_lies_beside_what_is(tmp_path: Path) -> None:
    assert resolve_endpoints(folder=tmp_path) == endpoints_in(tmp_path)
    given = resolve_endpoints("tcp://127.0.0.1:7000", folder=tmp_path)
    assert (given.pub, given.control) == ("tcp://127.0.0.1:7000", "tcp://127.0.0.1:7001")
    assert resolve_endpoints(control="tcp://127.0.0.1:7001", folder=tmp_path).pub == "tcp://127.0.0.1:7000"
    given = resolve_endpoints("ipc:///tmp/a/mine.sock", folder=tmp_path)
    assert (given.preview, given.control) == ("ipc:///tmp/a/preview.sock", "ipc:///tmp/a/control.sock")
    with pytest.raises(ConfigError, match="twice"):
        resolve_endpoints("tcp://127.0.0.1:7000", "tcp://localhost:7000", folder=tmp_path)
    with pytest.raises(ConfigError, match="between 1 and 65535"):
        resolve_endpoints("tcp://127.0.0.1:65535", folder=tmp_path)


def test_the_folder_is_the_users_alone_and_goes_with_its_maker(tmp_path: Path) -> None:
    parent = tmp_path / "run"
    with RunFolder(parent) as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
        with RunFolder(parent) as newer:
            assert set(parent.iterdir()) == {folder.path, newer.path}
    assert list(parent.iterdir()) == []


def test_what_a_killed_supervisor_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "120000-dead"
    left.mkdir()
    (left / "alive.lock").touch()
    being_made = tmp_path / "120001-new"
    being_made.mkdir()
    with RunFolder(tmp_path) as folder:
        assert not left.exists()
        assert being_made.exists()
        assert folder.path.exists()


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made"):
        make_private(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="somebody else"):
        make_private(tmp_path / "link")
