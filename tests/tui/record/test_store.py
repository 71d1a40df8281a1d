import hashlib
import json
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.wire import EngineState
from fetalstream.tui.record.session_files import DamagedPicture
from fetalstream.tui.record.store import SessionStore
from tests.scripted_engine import Kept, frame_info, reading

STATE = wire.EngineState(
    run="run-a",
    model=wire.ModelState(name="mini", weights_sha256="ab"),
    versions={"fetalstream": "0.1.0"},
    streams=[wire.StreamState(stream="stream-1", kind="file", source_sha256="cd", reading=reading(0, "Doe_Jane"))],
)
MODEL = {"name": "mini", "weights_sha256": "ab"}
KEPT = Kept(f"{7:032x}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SessionStore]:
    with SessionStore(tmp_path, STATE, started_s=0.0) as store:
        yield store


@pytest.fixture
def stamp() -> MessageStamper:
    return MessageStamper("run-a")


def keyframe(stamp: MessageStamper, kept: Kept = KEPT, plane: str = "brain") -> wire.Keyframe:
    return stamp.stamp(
        wire.Keyframe(
            stream="stream-1",
            exam="e",
            keyframe=kept.keyframe,
            plane=plane,
            subplane=None,
            score=0.5,
            parts={},
            frame=frame_info(3),
            gestation=None,
        )
    )


def rows(store: SessionStore, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(store.folder / "session.db") as database:
        found = database.execute(sql).fetchall()
    database.close()
    return found


def test_messages_are_found_by_what_they_say(store: SessionStore, stamp: MessageStamper) -> None:
    store.add(stamp.stamp(reading(5)))
    for event in ("mark", "decision", "freeze"):
        store.add(stamp.stamp(wire.Event(stream="stream-1", exam="e", event=event, detail={"text": "x"})))
    store.commit()
    assert rows(store, "SELECT seq, plane, gestation_days, round(pts_seconds, 3) FROM readings") == [
        (0, "brain", 143.0, 0.167)
    ]
    assert rows(store, "SELECT event FROM events") == [("mark",), ("decision",), ("freeze",)]
    assert rows(store, "SELECT event FROM marks UNION ALL SELECT event FROM decisions") == [("mark",), ("decision",)]
    assert rows(store, "PRAGMA journal_mode") == [("wal",)]
    assert store.last_seqs() == {"reading/stream-1": 0, "event/stream-1": 2}


def test_a_topic_is_held_up_to_its_first_gap(store: SessionStore, stamp: MessageStamper) -> None:
    stamped = [stamp.stamp(reading(index, stream)) for stream in ("a", "b", "c") for index in range(5)]
    for message in stamped:
        if (message.stream, message.seq) not in {("b", 2), ("c", 0)}:
            store.add(message)
    assert store.last_seqs() == {"reading/a": 4, "reading/b": 1, "reading/c": -1}


def test_a_message_that_is_there_changes_nothing(store: SessionStore, stamp: MessageStamper) -> None:
    message = stamp.stamp(reading(5))
    store.add(message)
    store.add(message)
    store.commit()
    assert rows(store, "SELECT count(*) FROM messages") == [(1,)]


def test_a_keyframe_is_a_picture_with_all_that_is_known_of_it(store: SessionStore, stamp: MessageStamper) -> None:
    message = keyframe(stamp)
    store.add(message)
    assert store.pictures.wanted() == [KEPT.keyframe]
    path = store.pictures.save(KEPT.keyframe, KEPT.png())
    assert path == store.folder / "keyframes" / "brain" / f"{KEPT.keyframe}.png"
    assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), KEPT.pixels)
    sidecar = json.loads(path.with_suffix(".json").read_bytes())
    assert sidecar["keyframe"] == json.loads(wire.encode(message))
    assert sidecar["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sidecar["provenance"]["model"] == MODEL
    assert (store.pictures.wanted(), store.pictures.saved()) == ([], [KEPT.keyframe])
    assert rows(store, "SELECT file FROM keyframes") == [(f"keyframes/brain/{KEPT.keyframe}.png",)]


def test_a_damaged_picture_is_not_kept(store: SessionStore, stamp: MessageStamper) -> None:
    store.add(keyframe(stamp))
    with pytest.raises(DamagedPicture):
        store.pictures.save(KEPT.keyframe, KEPT.png()[:-9])
    with pytest.raises(KeyError):
        store.pictures.save("unknown", KEPT.png())
    assert store.pictures.wanted() == [KEPT.keyframe]
    store.pictures.forget(KEPT.keyframe)
    assert store.pictures.wanted() == []


def test_names_from_outside_never_leave_the_session(tmp_path: Path, stamp: MessageStamper) -> None:
    with SessionStore(tmp_path / "out", EngineState(run="../../evil")) as store:
        message = stamp.stamp(
            wire.Keyframe(
                stream="s",
                keyframe="../../k",
                plane="../p",
                subplane=None,
                score=1.0,
                parts={},
                frame=frame_info(0),
                gestation=None,
            )
        )
        store.add(message)
        path = store.pictures.save("../../k", KEPT.png())
        assert store.folder.parent == tmp_path / "out"
        assert path.resolve().is_relative_to(store.folder)


def test_the_session_says_where_it_comes_from_and_never_a_name(store: SessionStore) -> None:
    text = (store.folder / "session.json").read_text()
    about = json.loads(text)
    assert store.folder.name == "19700101T000000Z_run-a"
    assert about["started"] == "1970-01-01T00:00:00Z"
    assert about["streams"] == [{"stream": "stream-1", "kind": "file", "source_sha256": "cd"}]
    assert about["notice"] == wire.NOTICE
    assert "Jane" not in text


def test_everything_is_the_users_alone(store: SessionStore, stamp: MessageStamper) -> None:
    store.add(keyframe(stamp))
    store.pictures.save(KEPT.keyframe, KEPT.png())
    store.add(stamp.stamp(wire.Preview(stream="stream-1", width=1, height=1, frame=frame_info(0))), blob=b"jpeg")
    store.commit()
    for path in [store.folder, *store.folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_two_previews_a_second_are_kept(store: SessionStore) -> None:
    now_ns = 0
    stamp = MessageStamper("run-a", clock_ns=lambda: now_ns)
    for _ in range(31):  # three seconds
        store.add(
            stamp.stamp(wire.Preview(stream="stream-1", width=1, height=1, frame=frame_info(0))), blob=b"%d" % now_ns
        )
        now_ns += 10**8
    store.commit()
    assert len(list((store.folder / "previews" / "stream-1").glob("*.jpg"))) == 7
    assert len(rows(store, "SELECT * FROM messages")) == 7


def test_a_run_that_was_begun_is_gone_on_with_by_one_writer(
    store: SessionStore, tmp_path: Path, stamp: MessageStamper
) -> None:
    store.add(keyframe(stamp))
    with pytest.raises(BlockingIOError):
        SessionStore(tmp_path, STATE)
    store.close()
    store.close()
    with (
        SessionStore(tmp_path, EngineState(run="run-a")) as again,
        SessionStore(tmp_path, EngineState(run="run-b")) as other,
    ):
        assert again.folder == store.folder
        assert other.folder != store.folder
        assert again.pictures.wanted() == [KEPT.keyframe]
        path = again.pictures.save(KEPT.keyframe, KEPT.png())
        # What the session was begun with stands.
        assert json.loads(path.with_suffix(".json").read_bytes())["provenance"]["model"] == {
            "name": "mini",
            "weights_sha256": "ab",
        }


def test_what_was_not_committed_is_not_there_after_a_crash(store: SessionStore, stamp: MessageStamper) -> None:
    store.add(stamp.stamp(reading(0)))
    store.commit()
    store.add(stamp.stamp(reading(1)))
    assert rows(store, "SELECT max(seq) FROM messages") == [(0,)]


def test_as_the_engines_sink_it_commits_by_itself(tmp_path: Path) -> None:
    now_ns = 0
    stamp = MessageStamper("run-a", clock_ns=lambda: now_ns)
    with SessionStore(tmp_path, EngineState(run="run-a")) as store:
        for index in range(30):
            store.send(stamp.stamp(reading(index)))
            now_ns += 33_000_000
        assert 20 <= len(rows(store, "SELECT * FROM messages")) <= 30
        store.send(keyframe(stamp), KEPT.png())
        assert store.pictures.saved() == [KEPT.keyframe]
    assert len(rows(store, "SELECT * FROM readings")) == 30


def test_another_versions_session_is_left_alone(store: SessionStore, tmp_path: Path) -> None:
    store.close()
    with sqlite3.connect(store.folder / "session.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        SessionStore(tmp_path, STATE)


def test_what_was_done_stays_on_record(store: SessionStore, stamp: MessageStamper) -> None:
    store.add(stamp.stamp(wire.Event(stream="stream-1", exam="e", event="decision", detail={"verdict": "accept"})))
    store.commit()
    with sqlite3.connect(store.folder / "session.db") as database:
        for forbidden in ("DELETE FROM messages", "UPDATE messages SET exam = 'other'"):
            with pytest.raises(sqlite3.IntegrityError, match="stays on record"):
                database.execute(forbidden)
    database.close()
    assert rows(store, "SELECT count(*) FROM decisions") == [(1,)]
