import gc
import threading
import weakref

import numpy as np
import pytest

from fetalstream.pipeline.bus import clip_cache
from fetalstream.pipeline.bus.clip_cache import ClipCache
from fetalstream.pipeline.keyframes.clip_buffer import Cut, Still
from tests.pipeline.keyframes.test_stored_keyframe import taken


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

    monkeypatch.setattr(clip_cache, "matroska", encoded)
    yield opened
    opened.set()


def test_a_clip_can_be_asked_for_while_it_is_being_encoded(gate):
    keyframe_store, clip = ClipCache(), cut()
    about = keyframe_store.add(clip)
    assert about == {
        "keyframe": clip.best.keyframe,
        "frames": 3,
        "from_seconds": 5.0,
        "at_seconds": 5.0,
        "to_seconds": 5.2,
    }
    answers = [keyframe_store.fetch(clip.best.keyframe) for _ in range(2)]
    assert answers[0].cancel()  # whoever does not wait any longer takes nothing from the others
    gate.set()
    assert answers[1].result(10).blob == bytes(10)
    assert answers[1].result(10).result == about
    keyframe_store.close()


def test_unknown_clips_are_refused():
    with pytest.raises(KeyError):
        ClipCache().fetch("nobody")


def test_more_than_fits_is_not_taken_in(gate):
    keyframe_store = ClipCache(waiting_bytes=7 * 64)
    assert keyframe_store.add(cut(9)) is not None  # alone it may be as large as it likes
    assert keyframe_store.add(cut()) is None
    gate.set()
    keyframe_store.close()
    assert ClipCache(waiting_bytes=7 * 64).add(cut()) is not None


def test_the_saved_go_first_and_memory_is_bounded(gate):
    gate.set()
    keyframe_store, clips = ClipCache(kept_bytes=25), [cut() for _ in range(4)]
    for clip in clips[:2]:
        keyframe_store.add(clip)
        keyframe_store.fetch(clip.best.keyframe).result(10)
    assert keyframe_store.saved([clips[1].best.keyframe, "nobody"]) == [clips[1].best.keyframe]
    assert keyframe_store.unsaved == 1
    for clip in clips[2:]:
        keyframe_store.add(clip)
        keyframe_store.fetch(clip.best.keyframe).result(10)
    keyframe_store.close()
    kept = [clip for clip in clips if clip.best.keyframe in keyframe_store._clips]
    assert kept == clips[2:]


def test_a_clip_that_cannot_be_encoded_says_so(monkeypatch):
    def broken(_):
        raise RuntimeError("no")

    monkeypatch.setattr(clip_cache, "matroska", broken)
    keyframe_store, clip = ClipCache(), cut()
    keyframe_store.add(clip)
    keyframe_store.close()
    with pytest.raises(KeyError):
        keyframe_store.fetch(clip.best.keyframe)
    assert keyframe_store.unsaved == 0


def test_an_encoded_clip_holds_no_raw_frame(gate):
    keyframe_store, clip = ClipCache(), cut()
    frames, keyframe = [weakref.ref(still.pixels) for still in clip.stills], clip.best.keyframe
    keyframe_store.add(clip)
    del clip
    gate.set()
    assert keyframe_store.fetch(keyframe).result(10).blob == bytes(10)
    keyframe_store.close()
    gc.collect()
    assert [frame() for frame in frames] == [None] * 3
