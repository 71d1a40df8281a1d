import gc
import threading
import weakref

import numpy as np
import pytest

from fetalstream.pipeline.bus import clip_shelf
from fetalstream.pipeline.bus.clip_shelf import ClipShelf
from fetalstream.pipeline.keyframes.clips import Cut, Still
from tests.pipeline.keyframes.test_keyframes import taken


def cut(frames=3, at=5.0):
    stills = [Still(at + 0.1 * number, np.zeros((8, 8), np.uint8)) for number in range(frames)]
    return Cut(taken(at=at), "exam", stills)


@pytest.fixture
def gate(monkeypatch):
    """Encoding waits for it, and gives ten bytes."""
    opened = threading.Event()

    def encoded(_):
        assert opened.wait(10)
        return bytes(10)

    monkeypatch.setattr(clip_shelf, "matroska", encoded)
    yield opened
    opened.set()


def test_a_clip_can_be_asked_for_while_it_is_being_encoded(gate):
    shelf, clip = ClipShelf(), cut()
    about = shelf.add(clip)
    assert about == {
        "keyframe": clip.best.keyframe,
        "frames": 3,
        "from_seconds": 5.0,
        "at_seconds": 5.0,
        "to_seconds": 5.2,
    }
    answers = [shelf.fetch(clip.best.keyframe) for _ in range(2)]
    assert answers[0].cancel()  # whoever does not wait any longer takes nothing from the others
    gate.set()
    assert answers[1].result(10).blob == bytes(10)
    assert answers[1].result(10).result == about
    shelf.close()


def test_unknown_clips_are_refused():
    with pytest.raises(KeyError):
        ClipShelf().fetch("nobody")


def test_more_than_fits_is_not_taken_in(gate):
    shelf = ClipShelf(waiting_bytes=7 * 64)
    assert shelf.add(cut(9)) is not None  # alone it may be as large as it likes
    assert shelf.add(cut()) is None
    gate.set()
    shelf.close()
    assert ClipShelf(waiting_bytes=7 * 64).add(cut()) is not None


def test_the_saved_go_first_and_memory_is_bounded(gate):
    gate.set()
    shelf, clips = ClipShelf(kept_bytes=25), [cut() for _ in range(4)]
    for clip in clips[:2]:
        shelf.add(clip)
        shelf.fetch(clip.best.keyframe).result(10)
    assert shelf.saved([clips[1].best.keyframe, "nobody"]) == [clips[1].best.keyframe]
    assert shelf.unsaved == 1
    for clip in clips[2:]:
        shelf.add(clip)
        shelf.fetch(clip.best.keyframe).result(10)
    shelf.close()
    kept = [clip for clip in clips if clip.best.keyframe in shelf._clips]
    assert kept == clips[2:]


def test_a_clip_that_cannot_be_encoded_says_so(monkeypatch):
    def broken(_):
        raise RuntimeError("no")

    monkeypatch.setattr(clip_shelf, "matroska", broken)
    shelf, clip = ClipShelf(), cut()
    shelf.add(clip)
    shelf.close()
    with pytest.raises(KeyError):
        shelf.fetch(clip.best.keyframe)
    assert shelf.unsaved == 0


def test_an_encoded_clip_holds_no_raw_frame(gate):
    shelf, clip = ClipShelf(), cut()
    frames, keyframe = [weakref.ref(still.pixels) for still in clip.stills], clip.best.keyframe
    shelf.add(clip)
    del clip
    gate.set()
    assert shelf.fetch(keyframe).result(10).blob == bytes(10)
    shelf.close()
    gc.collect()
    assert [frame() for frame in frames] == [None] * 3
