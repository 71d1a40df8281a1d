"""Image vectors of a session, and moments found by them."""

import json

import numpy as np
import pytest

from fetalstream.pipeline.stream.questions import Question
from fetalstream.pipeline.wire import Embedding, EngineState, FrameInfo
from fetalstream.tui.commands.analyze import analyze
from fetalstream.tui.commands.search import moments
from fetalstream.tui.record.store import SessionStore
from fetalstream.tui.record.vectors import FILE, Vectors, export_index, read_vectors
from fetalstream.tui.settings.settings import ModelSettings
from tests.tui.commands.test_analyze import double, stills  # noqa: F401 - the fixture stands in for the model

ROWS = np.random.default_rng(0).normal(size=(6, 8)).astype("<f2")


def message(i, epoch=0):
    seen = FrameInfo(index=i, epoch=epoch, pts_seconds=i / 10, captured_ns=0)
    return Embedding(
        run="r", exam="e", stream="stream-1", seq=i, published_ns=i, wall_time="t", frame=seen, dim=8, dtype="float16"
    )


def fill(store, which):
    for i in which:
        store.add(message(i), blob=ROWS[i].tobytes())


def test_what_is_kept_is_what_came(tmp_path):
    with SessionStore(tmp_path, EngineState(run="r")) as store:
        fill(store, [0, 1, 1, 2])
        store.add(message(3))  # its numbers were lost
    found = read_vectors(store.folder)
    np.testing.assert_array_equal(found.rows, ROWS[:3])
    assert [frame["frame"]["index"] for frame in found.frames] == [0, 1, 2]
    assert (store.folder / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"no database, but long enough to be taken for one"], ids=["just begun", "spoiled"]
)
def test_a_database_without_messages_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "session.db").write_bytes(content)
    with pytest.raises(ValueError, match=r"session\.db cannot be read: .+$"):
        read_vectors(tmp_path)


def test_rows_that_the_database_never_heard_of_are_cut_off(tmp_path):
    with SessionStore(tmp_path, EngineState(run="r")) as store:
        fill(store, [0, 1])
    with (store.folder / FILE).open("ab") as file:
        file.write(b"a writer was killed here")
    with SessionStore(tmp_path, EngineState(run="r")) as again:
        fill(again, [2, 3])
    np.testing.assert_array_equal(read_vectors(store.folder).rows, ROWS[:4])


def test_the_index_says_which_frame_each_row_is_of(tmp_path):
    with SessionStore(tmp_path, EngineState(run="r")) as store:
        fill(store, range(6))
    with np.load(export_index(store.folder)) as index:
        np.testing.assert_array_equal(index["vectors"], ROWS)
        assert index["index"].tolist() == list(range(6))
        assert set(index["stream"].tolist()) == {"stream-1"}


def test_a_session_without_vectors_says_how_to_get_them(tmp_path):
    with SessionStore(tmp_path, EngineState(run="r")) as store:
        pass
    with pytest.raises(ValueError, match="--embeddings"):
        read_vectors(store.folder)
    with pytest.raises(ValueError, match="no session"):
        read_vectors(tmp_path)


def test_analyze_keeps_a_row_for_every_analysed_frame(tmp_path):
    assert analyze(
        [stills(tmp_path / "one", 4)], model=ModelSettings(), spacing_mm=2.0, out=tmp_path / "out", jsonl=None,
        embeddings=True,
    )  # fmt: skip
    (session,) = (tmp_path / "out").iterdir()
    assert len(read_vectors(session).rows) == 4
    assert (session / "embeddings.npz").is_file()


def test_moments_are_the_peaks_the_best_first():
    rows = np.zeros((60, 3), np.float16)
    rows[:, 1] = 0.1
    rows[20:24] = (0.1, 0, 0)
    rows[45:55] = (0.15, 0, 0)
    headers = [json.loads(json.dumps({"stream": "s", "exam": "e", "frame": {
        "index": i, "epoch": 0, "pts_seconds": i / 10}})) for i in range(60)]  # fmt: skip
    asked = Question("x", np.array([1.0, 0, 0]), np.array([[0.0, 1, 0]]))
    found = moments(Vectors(rows, headers), asked)
    assert 45 <= found[0].frame < 55
    assert 20 <= found[1].frame <= 24
    assert found[0].score > found[1].score > 0.9
    apart = np.diff(sorted(moment.pts_seconds for moment in found))
    assert apart.min() >= 2.0
