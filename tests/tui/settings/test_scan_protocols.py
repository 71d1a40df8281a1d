"""Protocols on disk: those that come with the package, and the user's own."""

from pathlib import Path

import pytest

from fetalstream.tui.settings.scan_protocols import known_protocol, protocol_names, read_protocol
from fetalstream.tui.state.scan_protocol import ALL_PLANES, ProtocolError
from fetalstream.tui.state.session import PLANES, SUBPLANES


@pytest.mark.parametrize("name", [name for name in protocol_names() if name != "planes"])
def test_the_protocols_that_come_with_it_name_their_source_and_known_labels(name: str) -> None:
    protocol = read_protocol(name)
    assert protocol is not None
    assert protocol.source
    assert protocol.url.startswith("https://")
    assert {each.plane for each in protocol.views if each.plane} <= set(PLANES)
    assert {each.subplane for each in protocol.views if each.subplane} <= set(SUBPLANES)
    assert any(not each.assessable for each in protocol.views)
    assert len({each.name for each in protocol.views}) == len(protocol.views)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("title = 1", "`$.title`"),
        ("views = 3", "`$.views`"),
        ("enough = [", ""),
        ("enough = " + "[" * 100_000, ""),
        ("title='a'\nsource='b'\nviews=[{}]", "`name`"),
        ("title='a'\nsource='b'\nviews=[]\nenough=1.5", "`$.enough`"),
        ("title='a'\nsource='b'\nviews=[]\nmore=1", "`more`"),
    ],
)
def test_a_protocol_that_cannot_be_used_is_one_line(tmp_path: Path, words: str, named: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(words)
    with pytest.raises(ProtocolError) as caught:
        read_protocol(str(path))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_unknown_protocols_are_refused_with_the_choice(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="choose planes, fasp-20-week, isuog"):
        read_protocol("mine")
    with pytest.raises(ProtocolError, match="cannot be read"):
        read_protocol(str(tmp_path / "absent.toml"))


def test_the_users_own_protocol_goes_before_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "fetalstream" / "protocols"
    folder.mkdir(parents=True)
    (folder / "fasp-20-week.toml").write_text("title='mine'\nsource='me'\nviews=[{name='x'}]")
    protocol = read_protocol("fasp-20-week")
    assert protocol is not None
    assert protocol.title == "mine"


def test_names_begin_with_the_protocol_that_has_no_file() -> None:
    assert protocol_names()[0] == ALL_PLANES
    assert read_protocol(ALL_PLANES) is None


def test_a_protocol_has_its_files_name_whatever_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("title='t'\nsource='s'\nname='other'\nviews=[{name='x'}]")
    protocol = read_protocol(str(path))
    assert protocol is not None
    assert protocol.name == "mine"


def test_a_sessions_protocol_is_known_only_by_a_name_that_is_here(tmp_path: Path) -> None:
    protocol = known_protocol("fasp-20-week")
    assert protocol is not None
    assert protocol.name == "fasp-20-week"
    (tmp_path / "mine.toml").write_text("title='t'\nsource='s'\nviews=[]")
    for unknown in (None, "gone", str(tmp_path / "mine.toml"), ALL_PLANES):
        assert known_protocol(unknown) is None
