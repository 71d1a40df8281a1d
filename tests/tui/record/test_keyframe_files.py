"""Pictures and clips of best frames beside a session's database: one way for both."""

import hashlib
import json
from pathlib import Path

import pytest

from fetalstream.tui.record.keyframe_files import CLIPS, PICTURES, FileEntry, KeyframeFiles, files_of
from fetalstream.tui.record.session_files import DamagedPicture
from tests.tui.recorded import Scan, png

KEPT = "a" * 32
CLIP = b"\x1a\x45\xdf\xa3 a clip"


@pytest.fixture
def scan(out: Path):
    with Scan(out) as made:
        made.look("brain", 2)
        made.keep(KEPT, "brain", 0.4, None)
        made.tell("clip", keyframe=KEPT, seconds=4)
        yield made


@pytest.fixture(params=["picture", "clip"])
def files(request, scan) -> tuple[KeyframeFiles, bytes, str]:
    if request.param == "picture":
        return scan.store.pictures, png(1), f"keyframes/brain/{KEPT}.png"
    return scan.store.clips, CLIP, f"clips/{KEPT}.mkv"


def test_what_was_announced_is_wanted_until_it_is_saved(scan, files) -> None:
    kept, data, where = files
    assert kept.entries() == [FileEntry(KEPT, "wanted", where)]
    assert (kept.wanted(), kept.saved()) == ([KEPT], [])
    path = kept.save(KEPT, data)
    assert path == scan.store.folder / where
    assert kept.entries() == [FileEntry(KEPT, "saved", where)]
    assert (kept.wanted(), kept.saved()) == ([], [KEPT])


def test_beside_each_file_lies_what_is_known_of_it(scan, files) -> None:
    kept, data, _ = files
    path = kept.save(KEPT, data)
    sidecar = json.loads(path.with_suffix(".json").read_bytes())
    assert sidecar["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sidecar["provenance"]["run"] == "run-a"
    assert sidecar[kept.kind.described_as]["keyframe"] == KEPT


def test_what_the_engine_has_no_more_is_not_wanted_any_longer(files) -> None:
    kept, data, where = files
    kept.forget(KEPT)
    assert (kept.wanted(), kept.saved()) == ([], [])
    assert kept.entries() == [FileEntry(KEPT, "gone", where)]
    kept.save(KEPT, data)  # but if it comes after all, it is kept
    assert kept.saved() == [KEPT]


def test_damaged_files_and_those_that_nobody_announced_are_refused(scan, files) -> None:
    kept, data, where = files
    with pytest.raises(DamagedPicture):
        kept.save(KEPT, data[1:])
    with pytest.raises(KeyError, match="was never announced"):
        kept.save("b" * 32, data)
    assert kept.wanted() == [KEPT]
    assert not (scan.store.folder / where).exists()


def test_a_clip_that_says_of_which_frame_it_is_in_no_word_is_not_wanted(scan) -> None:
    scan.tell("clip", keyframe=7)
    scan.tell("clip")
    assert scan.store.clips.wanted() == [KEPT]


def test_names_from_outside_become_names_of_files() -> None:
    assert PICTURES.path("../../k", "../p") == "keyframes/___p/______k.png"
    assert CLIPS.path("../../k", "") == "clips/______k.mkv"


def test_a_session_from_before_clips_has_pictures_only(scan) -> None:
    database = scan.store._database
    assert [each.kind.name for each in files_of(scan.store.folder, database)] == ["picture", "clip"]
    database.execute("DROP TABLE clips")
    assert [each.kind.name for each in files_of(scan.store.folder, database)] == ["picture"]
