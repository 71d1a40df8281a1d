"""Which frames reach the shelf: those of a named plane, and the ones just before it was named."""

import msgspec
import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.keyframe_store import KeyframeStore
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.stream import keyframe_selector
from fetalstream.pipeline.stream.keyframe_selector import HINDSIGHT_SECONDS, KeyframeSelector
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.streamer.frame import Frame
from tests.pipeline.doubles import FACTS

AGE = wire.Gestation(
    days=150.0, low_days=145.0, high_days=155.0, frame_days=151.0, frames=1, zooms=1, method="reference"
)


def seen(
    index,
    plane,
    contrast,
    *,
    likeliest="brain",
    epoch=0,
    action="analyse",
    state="live",
    smoothed=0.4,
    masking=0,
    exam="exam-1",
    **more,
):
    """What `KeyframeSelector.read` is given of one frame; 30 a second."""
    frame = Frame(np.full((8, 9), index % 251, np.uint8), index, index / 30, index, epoch)
    raw = {"brain": 0.05, "femur": 0.05, wire.OTHER: 0.1} | {likeliest: 0.85}
    reading = wire.Reading(
        exam="exam-1", frame=wire.FrameInfo(index=index, epoch=epoch, pts_seconds=index / 30, captured_ns=index),
        state=state, reused=action == "reuse",
        planes={label: wire.LabelScore(cosine=0.2, raw=value, smoothed=smoothed) for label, value in raw.items()},
        plane=plane, subplanes=None, subplane=None, gestation=None, gestation_missing=None,
        quality=wire.Quality(sharpness=0.5, steadiness=0.9, contrast=contrast), ask=None, latency_ms=wire.Latency(),
        model="mini", calibrated=True, dropped=0,
    )  # fmt: skip
    prepared = PreparedFrame(frame, Segment(exam, epoch, masking), action, state)
    return prepared, msgspec.structs.replace(reading, **more)


def best_of(frames):
    """The best frame after all of these."""
    keyframe_store, made = KeyframeStore(), KeyframeSelector(FACTS)
    for prepared, reading in frames:
        made.read(prepared, reading, keyframe_store)
    keyframe_store.flush()
    return next(iter(keyframe_store), None)


def test_a_better_frame_just_before_its_plane_was_named_is_the_best():
    swept = [seen(10, None, 0.9), seen(11, None, 0.5)]
    named = seen(12, "brain", 0.6, smoothed=0.95, subplane="trans-thalamic", gestation=AGE)
    best = best_of([*swept, named])
    assert best.frame.index == 10
    assert (best.pixels == 10).all()
    # What was known when it was named holds for it; its own age nobody has read.
    assert (best.plane, best.subplane, best.parts["probability"]) == ("brain", "trans-thalamic", 0.95)
    assert (best.gestation.days, best.gestation.frame_days) == (150.0, None)


@pytest.mark.parametrize(
    "before",
    [
        seen(10, None, 0.9, epoch=1),
        seen(30 - round(30 * HINDSIGHT_SECONDS) - 1, None, 0.9),
        seen(29, None, 0.9, likeliest="femur"),
        seen(29, None, 0.9, action="reuse"),
        seen(29, None, 0.9, state="frozen"),
        seen(29, "femur", 0.9, likeliest="femur"),
        seen(29, None, 0.9, masking=1),
        seen(29, None, 0.9, likeliest=wire.OTHER),
    ],
    ids=[
        "another epoch", "too long ago", "another plane", "a repetition", "a freeze of before", "named otherwise",
        "masked otherwise", "rather none",
    ],
)  # fmt: skip
def test_what_is_no_frame_of_that_visit_is_not_offered(before):
    keyframe_store, made = KeyframeStore(), KeyframeSelector(FACTS)
    for prepared, reading in (before, seen(30, "brain", 0.6)):
        made.read(prepared, reading, keyframe_store)
    keyframe_store.flush()
    assert [each.frame.index for each in keyframe_store if each.plane == "brain"] == [30]


def test_while_one_plane_is_still_named_the_next_may_be_hit_best():
    femur = seen(10, "femur", 0.6, likeliest="femur")
    frames = [femur, seen(11, "femur", 0.9), seen(12, "femur", 0.6), seen(13, "brain", 0.6)]
    keyframe_store, made = KeyframeStore(), KeyframeSelector(FACTS)
    for prepared, reading in frames:
        made.read(prepared, reading, keyframe_store)
    keyframe_store.flush()
    assert {each.plane: each.frame.index for each in keyframe_store} == {"femur": 10, "brain": 11}


def test_nothing_from_before_the_dark_is_offered():
    keyframe_store, made = KeyframeStore(), KeyframeSelector(FACTS)
    made.read(*seen(10, None, 0.9), keyframe_store)
    dark, nothing = seen(11, None, 0.0, action="blank", state="black")
    made.read(dark, msgspec.structs.replace(nothing, planes={}, quality=None), keyframe_store)
    made.read(*seen(12, "brain", 0.6), keyframe_store)
    keyframe_store.flush()
    assert [each.frame.index for each in keyframe_store] == [12]


def test_what_looks_like_no_plane_is_not_held():
    keyframe_store, made = KeyframeStore(), KeyframeSelector(FACTS)
    made.read(*seen(10, None, 0.9, likeliest=wire.OTHER), keyframe_store)
    assert made._unnamed == []
    made.read(*seen(11, None, 0.9), keyframe_store)
    assert len(made._unnamed) == 1


def test_another_examination_begins_with_nothing():
    keyframe_store, made = KeyframeStore(), KeyframeSelector(FACTS)
    made.read(*seen(10, None, 0.9), keyframe_store)
    made.read(*seen(11, "brain", 0.6, exam="exam-2"), keyframe_store)
    keyframe_store.flush()
    assert next(iter(keyframe_store)).frame.index == 11


def test_what_waits_is_bounded(monkeypatch):
    monkeypatch.setattr(keyframe_selector, "HINDSIGHT_BYTES", 3 * 72)
    waiting = [seen(index, None, 0.9 if index == 10 else 0.5) for index in range(10, 15)]
    assert best_of([*waiting, seen(15, "brain", 0.4)]).frame.index == 12


def test_a_frame_that_alone_is_too_large_is_not_held(monkeypatch):
    monkeypatch.setattr(keyframe_selector, "HINDSIGHT_BYTES", 71)
    assert best_of([seen(10, None, 0.9), seen(11, "brain", 0.4)]).frame.index == 11
