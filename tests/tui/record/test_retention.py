"""Which sessions are due to go; their removal is in ``test_purge.py``."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import EngineState
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.record.retention import KeptSession, RetentionError, due, look_into
from fetalstream.tui.record.store import SessionStore

DAY_S = 86_400
NOW_S = 1_700_000_000.0


def session(out: Path, run: str, days: float = 0.0, more_bytes: int = 0) -> Path:
    """One that ended so many days before NOW_S."""
    ended_s = NOW_S - days * DAY_S
    with SessionStore(out, EngineState(run=run), started_s=ended_s - 60) as store:
        (store.folder / "previews").mkdir()
        (store.folder / "previews" / "0.jpg").write_bytes(b"x" * more_bytes)
    os.utime(store.folder / "session.db", (ended_s, ended_s))
    return store.folder


def names(sessions: tuple[KeptSession, ...]) -> list[str]:
    return [each.folder.name.partition("_")[2] for each in sessions]


def test_those_that_were_last_written_too_long_ago_are_due(out: Path) -> None:
    for run, days in (("old", 40), ("older", 50), ("new", 29)):
        session(out, run, days)
    found = look_into(out)
    assert names(found.sessions) == ["older", "old", "new"]
    assert names(due(found.sessions, NOW_S, older_than_s=30 * DAY_S).going) == ["older", "old"]


def test_the_oldest_are_due_until_the_rest_is_small_enough(out: Path) -> None:
    for run, days in (("a", 3), ("b", 2), ("c", 1)):
        session(out, run, days, more_bytes=1_000_000)
    found = look_into(out)
    assert all(1_000_000 < each.size_bytes < 1_200_000 for each in found.sessions)
    total_bytes = sum(each.size_bytes for each in found.sessions)
    assert names(due(found.sessions, NOW_S, keep_bytes=total_bytes).going) == []
    assert names(due(found.sessions, NOW_S, keep_bytes=total_bytes - 1).going) == ["a"]
    assert names(due(found.sessions, NOW_S, keep_bytes=1_500_000).going) == ["a", "b"]
    assert names(due(found.sessions, NOW_S, keep_bytes=0, older_than_s=0).going) == ["a", "b", "c"]


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=8),
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 500),
)
def test_what_stays_keeps_to_both_limits_and_nothing_goes_in_vain(
    made: list[tuple[int, int]], days: int | None, keep_bytes: int | None
) -> None:
    sessions = [
        KeptSession(Path(f"/nowhere/{place}"), size, NOW_S - age * DAY_S)
        for place, (age, size) in enumerate(sorted(made, reverse=True))
    ]
    older_than_s = None if days is None else days * DAY_S
    going = due(sessions, NOW_S, older_than_s=older_than_s, keep_bytes=keep_bytes).going
    stays = [each for each in sessions if each not in going]
    assert list(going) == sessions[: len(going)]
    assert older_than_s is None or all(NOW_S - each.written_s <= older_than_s for each in stays)
    stay_bytes = sum(each.size_bytes for each in stays)
    assert keep_bytes is None or stay_bytes <= keep_bytes
    if going:
        newest = going[-1]
        too_old = older_than_s is not None and NOW_S - newest.written_s > older_than_s
        assert too_old or (keep_bytes is not None and stay_bytes + newest.size_bytes > keep_bytes)


def test_one_that_is_being_written_stays_and_counts(out: Path) -> None:
    session(out, "a", 3, more_bytes=1_000_000)
    folder = session(out, "b", 50, more_bytes=1_000_000)
    with SessionStore(out, EngineState(run="b")) as store:
        assert store.folder == folder
        os.utime(folder / "session.db", (0, 0))
        chosen = due(look_into(out).sessions, NOW_S, keep_bytes=1_500_000)
    assert (names(chosen.going), names(chosen.busy)) == (["a"], ["b"])


def test_looking_at_a_session_makes_it_no_younger(out: Path) -> None:
    folder = session(out, "a", 40)
    with closing(Recording(folder)) as recording:
        assert list(recording.messages()) == []
        assert names(due(look_into(out).sessions, NOW_S, older_than_s=30 * DAY_S).going) == ["a"]
    assert names(due(look_into(out).sessions, NOW_S, older_than_s=30 * DAY_S).going) == ["a"]


def test_a_clock_that_was_wrong_once_makes_no_session_old(out: Path) -> None:
    with SessionStore(out, EngineState(run="a"), started_s=0.0) as store:
        pass
    os.utime(store.folder / "session.db", (NOW_S, NOW_S))
    assert due(look_into(out).sessions, NOW_S, older_than_s=DAY_S).going == ()


def test_only_what_the_recorder_made_is_a_session(out: Path, tmp_path: Path) -> None:
    kept = session(out, "a", 40)
    session(out, "b", 40).rename(out / "kept for teaching")
    elsewhere = session(tmp_path / "elsewhere", "c", 40)
    (out / elsewhere.name).symlink_to(elsewhere)
    stamped = "20200101T000000Z"
    (out / f"{stamped}_file").write_text("x")
    (out / f"{stamped}_empty").mkdir()
    (out / f"{stamped}_another").mkdir()
    (out / f"{stamped}_another" / "session.db").write_text("not a database")
    (out / f"{stamped}_linked").mkdir()
    (out / f"{stamped}_linked" / "session.db").symlink_to(kept / "session.db")
    (out / f".{stamped}_link.purged").symlink_to(elsewhere)
    (out / ".cache.purged").mkdir()
    found = look_into(out)
    assert [each.folder for each in found.sessions] == [kept]
    assert found.remnants == ()
    assert found.others == 8


def test_a_folder_of_other_things_and_a_session_itself_are_refused(out: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    assert look_into(tmp_path / "papers").sessions == ()
    (tmp_path / "papers" / "thesis.txt").write_text("x")
    for folder, reason in (
        (tmp_path / "papers", "none of what is in it is one"),
        (session(out, "a"), "is a session: give the folder that it is in"),
        (tmp_path / "missing", "there is no such folder"),
        (tmp_path / "papers" / "thesis.txt", "there is no such folder"),
    ):
        with pytest.raises(RetentionError, match=reason):
            look_into(folder)
