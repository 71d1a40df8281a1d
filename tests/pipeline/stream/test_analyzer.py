import dataclasses
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetalstream.pipeline import wire
from fetalstream.pipeline.keyframes.keyframe_store import APART_SECONDS
from fetalstream.pipeline.keyframes.stored_keyframe import FROZEN_BONUS, score_of
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.readout.latency import BatchTimings
from fetalstream.pipeline.readout.temporal import Temporal
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.streamer.capture.remote_masker import RemoteMasker, to_message
from fetalstream.streamer.region.masker import Masked, RegionEvent
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import FACTS, NOT_FINITE, OTHER, PLANES, bank, black, frame, picture, scores

ABDOMEN, BRAIN, FEMUR = range(3)


def analyzer(**changed):
    model_info = changed.pop("model_info", FACTS)
    return StreamAnalyzer("stream-1", "exam-1", model_info, changed.pop("bank", bank), **changed)


def passed(stage, taken):
    """One frame's messages, admitted and finished at once."""
    prepared = stage.prepare(taken, taken.captured_ns)
    asked = prepared.action == "analyse"
    found = scores(prepared.frame.pixels) if asked else None
    return stage.finish(prepared, found, taken.captured_ns + 5_000_000, BatchTimings(0.0, 1.0, 2.0) if asked else None)


def readings(stage, frames):
    return [m for taken in frames for m in passed(stage, taken) if isinstance(m, wire.Reading)]


def events(stage, frames):
    return [m.event for taken in frames for m in passed(stage, taken) if isinstance(m, wire.Event)]


def brains(count, start=0, **changed):
    return [frame(i, picture(i, BRAIN), **changed) for i in range(start, start + count)]


def test_a_reading_says_what_the_frame_shows():
    reading = readings(analyzer(), brains(1))[0]
    assert (reading.stream, reading.exam, reading.plane, reading.subplane) == (
        "stream-1",
        "exam-1",
        "brain",
        "trans-thalamic",
    )
    assert list(reading.planes) == [*PLANES, "other"]
    assert sum(score.raw for score in reading.planes.values()) == pytest.approx(1)
    assert sum(score.smoothed for score in reading.planes.values()) == pytest.approx(1)
    assert reading.gestation is not None
    assert reading.gestation.days == 143
    assert reading.gestation_missing is None
    assert reading.latency_ms.total == pytest.approx(5)
    assert (reading.model, reading.calibrated, reading.reused) == ("double", False, False)
    wire.encode(reading)


def test_a_frame_without_a_plane_has_no_subplanes_and_no_age():
    reading = readings(analyzer(), [frame(0, picture(0, OTHER))])[0]
    assert (reading.plane, reading.subplanes, reading.subplane) == (None, None, None)
    assert (reading.gestation, reading.gestation_missing) == (None, "not_brain")


def test_without_spacing_there_is_no_age_until_the_operator_gives_one():
    stage = analyzer()
    assert readings(stage, brains(1, spacing_mm=None))[0].gestation_missing == "no_spacing"
    to_message = stage.set_spacing(3.0)
    assert [m.event for m in to_message if isinstance(m, wire.Event)] == ["spacing_changed"]
    reading = readings(stage, brains(1, start=1, spacing_mm=None))[0]
    assert reading.gestation is not None
    assert (reading.frame.spacing_mm, reading.frame.spacing_from) == (3.0, "operator")


def test_a_model_that_knows_no_ages_says_so_first():
    model_info = FACTS.__class__(**{**FACTS.__dict__, "knows_gestation": False})
    assert (
        readings(analyzer(model_info=model_info), brains(1, spacing_mm=None))[0].gestation_missing == "model_has_none"
    )


def test_sentences_that_are_not_ready_are_waited_for_and_asked_for_ahead():
    asked = []

    def none_yet(spacing_mm):
        asked.append(spacing_mm)

    stage = analyzer(bank=none_yet, bank_ahead=True)
    assert readings(stage, [frame(0, picture(0, OTHER))])[0].gestation_missing == "not_brain"
    assert asked == [pytest.approx(4 * 64 / 224)]
    assert readings(analyzer(bank=none_yet), brains(1))[0].gestation_missing == "preparing"


def test_sentences_are_asked_for_brains_only_where_frames_can_wait():
    asked = []
    stage = analyzer(bank=lambda spacing_mm: asked.append(spacing_mm))
    readings(stage, [frame(i, picture(i, FEMUR)) for i in range(5)])
    assert asked == []


def test_the_spacing_of_the_sentences_is_that_of_the_cut_out():
    asked = []
    stage = analyzer(bank=lambda spacing_mm: asked.append(spacing_mm), sector=Rectangle(0, 0, 32, 16))
    readings(stage, brains(1))
    assert asked == [pytest.approx(4 * 32 / 224)]


def test_what_lies_outside_the_sector_is_gone():
    stage = analyzer(sector=Rectangle(0, 0, 32, 16))
    prepared = stage.prepare(brains(1)[0], 0)
    assert prepared.frame.pixels.shape == (16, 32)
    assert prepared.frame.pixels.base is None
    stage.finish(prepared, scores(prepared.frame.pixels), 0)
    assert stage.picture is prepared.frame


def test_a_sector_that_does_not_fit_is_told_once_and_every_frame_counted():
    stage = analyzer(sector=Rectangle(0, 0, 65, 64))
    to_message = [m for i in range(5) for m in passed(stage, frame(i))]
    assert [m.event for m in to_message] == ["frame_failed"]
    assert stage.counts(5, 0, 0).failed == 5
    stage.set_sector(None)
    assert isinstance(passed(stage, frame(5))[0], wire.Reading)
    stage.set_sector(Rectangle(0, 0, 65, 64))
    assert [m.event for m in passed(stage, frame(6))] == ["frame_failed"]


def test_what_changed_with_a_refused_frame_is_told_even_if_its_trouble_was_told_before():
    far = RemoteMasker(None, lambda _: None)
    stage = analyzer(sector=far)
    stage.set_sector(Rectangle(0, 0, 32, 32))
    changes = [
        (RegionEvent("sector_unknown"),),
        (RegionEvent("layout_changed"),),
        (RegionEvent("source_warning", {"text": "look"}),),
    ]
    for index, happened in enumerate(changes):
        far.receive(to_message(index, Masked(frame(index), None, happened), revision=0))
    assert events(stage, [frame(0), frame(1), frame(2)]) == [
        "frame_failed", "sector_unknown", "layout_changed", "source_warning",
    ]  # fmt: skip


def test_what_changed_with_a_frame_is_told_after_its_reading():
    far = RemoteMasker(None, lambda _: None)
    stage = analyzer(sector=far)
    far.receive(to_message(0, Masked(frame(0), None, (RegionEvent("source_warning", {"text": "look"}),))))
    reading, *told = passed(stage, frame(0))
    assert isinstance(reading, wire.Reading)
    assert (told[0].event, told[0].detail) == ("source_warning", {"text": "look"})


def test_a_frame_that_the_sector_does_not_fit_fails_and_is_never_shown():
    stage = analyzer(sector=Rectangle(0, 0, 100, 100))
    messages = passed(stage, frame(0))
    assert [m.event for m in messages] == ["frame_failed"]
    assert "sector" in messages[0].detail["reason"]
    assert stage.picture is None
    assert stage.counts(1, 0, 0).failed == 1


def test_identical_frames_repeat_the_answer_and_count_apart():
    stage = analyzer()
    same = [frame(i, picture(1, BRAIN)) for i in range(20)]
    found = readings(stage, same)
    assert [r.reused for r in found] == [False] + [True] * 19
    assert {r.plane for r in found} == {"brain"}
    assert found[-1].latency_ms.encode is None
    assert found[-1].quality == found[0].quality
    counts = stage.counts(20, 0, 0)
    assert (counts.analysed, counts.reused) == (1, 19)
    assert found[-1].gestation is not None
    assert found[-1].gestation.frames == 1


def test_a_freeze_is_told_once_and_its_end_too():
    frozen = [frame(i, picture(1, BRAIN)) for i in range(1, 31)]
    to_message = events(analyzer(), [frame(0), *frozen, frame(31), frame(32)])
    assert [name for name in to_message if "freeze" in name] == ["freeze", "unfreeze"]


def scanned(index, still_from):
    """A brain that drifts a little, until the operator freezes it."""
    pixels = np.full((64, 64), 90, np.uint8)
    pixels[4:, ::4] += 20
    pixels[30:40, (at := 10 + min(index, still_from) % 40) : at + 10] += 15
    pixels[0, :2] = (BRAIN, 45)
    return frame(index, pixels)


def test_a_frame_that_the_operator_froze_counts_more_and_once_a_freeze():
    stage = analyzer()
    to_message = [m for i in range(150) for m in passed(stage, scanned(i, 45)) if isinstance(m, wire.Keyframe)]
    *live, chosen = to_message
    assert live
    assert not any("frozen" in message.parts for message in live)
    assert chosen.parts["frozen"] == FROZEN_BONUS
    assert chosen.score == score_of(chosen.parts)
    assert (chosen.rank, next(iter(stage.keyframe_store)).keyframe) == (0, chosen.keyframe)
    offered = []
    stage.keyframe_store = SimpleNamespace(wants=lambda *_: True, offer=offered.append, due=lambda *_: [])
    for index in range(150, 330):
        passed(stage, scanned(index, 150 if index < 180 else 1000 if index < 240 else 240))
    assert sum("frozen" in stored.parts for stored in offered) == 2  # two freezes of a second and more


def test_a_black_picture_is_read_as_nothing():
    stage = analyzer()
    readings(stage, brains(10))
    reading = readings(stage, [frame(10, black())])[0]
    assert (reading.state, reading.planes, reading.plane, reading.quality) == ("black", {}, None, None)
    assert (reading.gestation_missing, stage.snapshot().score) == ("not_brain", None)
    assert stage.counts(11, 0, 0).analysed == 11
    after = readings(stage, [frame(11, picture(11, FEMUR))])[0]
    assert after.planes["femur"].smoothed == pytest.approx(after.planes["femur"].raw, abs=0.01)


def test_lost_and_returning_signal_are_told():
    to_message = events(analyzer(), [frame(0), frame(1, black()), frame(2, black()), frame(3)])
    assert [name for name in to_message if name.startswith("signal")] == ["signal_lost", "signal_back"]


def test_an_output_that_is_not_finite_fails_one_frame_and_leaves_no_trace():
    with_it, without = analyzer(), analyzer()
    bad = frame(5, picture(5, NOT_FINITE))
    seen = readings(with_it, [*brains(5), bad, frame(6, picture(6, FEMUR))])
    clean = readings(without, [*brains(5), frame(6, picture(6, FEMUR))])
    assert len(seen) == len(clean)
    assert seen[-1].planes == clean[-1].planes
    assert with_it.counts(7, 0, 0).failed == 1


def test_what_repeats_a_failed_frame_is_not_read_from_an_older_answer():
    stage = analyzer()
    first, again = (stage.prepare(frame(i, picture(1, NOT_FINITE)), 0) for i in range(2))
    assert again.action == "reuse"
    for prepared in (first, again):
        assert [m.event for m in stage.finish(prepared, None, 0)] == ["frame_failed"]
    assert stage.prepare(frame(2, picture(1, NOT_FINITE)), 0).action == "analyse"


def test_a_new_epoch_starts_the_smoothing_afresh_but_keeps_the_age():
    stage = analyzer()
    readings(stage, brains(10))
    reading = readings(stage, [frame(10, picture(10, BRAIN, day=200), epoch=1, spacing_mm=8.0)])[0]
    assert reading.planes["brain"].smoothed == pytest.approx(reading.planes["brain"].raw, abs=0.01)
    assert reading.gestation is not None
    assert reading.gestation.days == pytest.approx(143, abs=0.5)
    assert (reading.gestation.frames, reading.gestation.zooms) == (11, 2)


def test_a_new_exam_forgets_age_keyframes_and_smoothing():
    stage = analyzer()
    readings(stage, brains(10))
    assert list(stage.keyframe_store)
    to_message = stage.new_exam("exam-2", now_ns=1)
    assert [(m.event, m.exam, m.detail) for m in to_message if isinstance(m, wire.Event)] == [
        ("new_exam", "exam-2", {"previous": "exam-1"})
    ]
    assert not list(stage.keyframe_store)
    reading = readings(stage, [frame(10, picture(10, BRAIN, day=200))])[0]
    assert reading.exam == "exam-2"
    assert reading.gestation is not None
    assert (reading.gestation.days, reading.gestation.frames) == (200, 1)
    assert reading.planes["brain"].smoothed == pytest.approx(reading.planes["brain"].raw, abs=0.01)


def test_when_the_exam_began_is_known_to_who_joins_late():
    stage = analyzer()
    assert stage.exam_began_ns is None
    stage.prepare(frame(0, picture(0, BRAIN)), 50)
    stage.prepare(frame(1, picture(1, BRAIN)), 90)
    assert stage.exam_began_ns == 50
    stage.new_exam("exam-2", now_ns=200)
    assert stage.exam_began_ns == 200


def test_frames_from_before_a_new_exam_stay_with_the_old_one():
    stage = analyzer()
    readings(stage, brains(3))
    on_the_way = stage.prepare(frame(3, picture(3, BRAIN)), 0)
    stage.new_exam("exam-2", now_ns=round(5 / 30 * 1e9))
    stray = stage.finish(on_the_way, scores(on_the_way.frame.pixels), 0)[0]
    waited = readings(stage, [frame(4, picture(4, BRAIN))])[0]
    ours = readings(stage, [frame(6, picture(6, BRAIN))])[0]
    assert [m.exam for m in (stray, waited, ours)] == ["exam-1", "exam-1", "exam-2"]
    assert (stray.gestation, waited.gestation) == (None, None)
    assert ours.gestation.frames == 1
    assert [stored.frame.index for stored in stage.keyframe_store] == [6]


def test_the_same_picture_after_a_new_exam_is_looked_at_again():
    stage = analyzer()
    readings(stage, [frame(0, picture(1, BRAIN))])
    stage.new_exam("exam-2", now_ns=1)
    assert stage.prepare(frame(1, picture(1, BRAIN)), 0).action == "analyse"


def test_a_changed_spacing_forgets_ages_read_with_the_wrong_one():
    stage = analyzer()
    readings(stage, brains(10))
    stage.set_spacing(2.0)
    reading = readings(stage, [frame(10, picture(10, BRAIN, day=200))])[0]
    assert reading.gestation.frames == 1


def test_a_zoom_is_told_and_a_drift_is_not():
    drift = [frame(i, spacing_mm=1.0 + i / 1000) for i in range(20)]
    assert events(analyzer(), drift) == ["spacing_changed"]
    assert events(analyzer(), [*drift, frame(20, spacing_mm=1.2)]) == ["spacing_changed"] * 2


def test_the_best_frame_comes_as_a_keyframe_after_its_reading():
    stage = analyzer()
    messages = passed(stage, brains(1)[0])
    assert [type(m) for m in messages[:2]] == [wire.Reading, wire.Keyframe]
    keyframe = messages[1]
    assert (keyframe.plane, keyframe.exam, keyframe.stream) == ("brain", "exam-1", "stream-1")
    assert keyframe.score == score_of(keyframe.parts)
    assert stage.keyframe_store.get(keyframe.keyframe) is not None


def test_runners_up_of_other_visits_are_told_and_kept_and_get_no_clip():
    stage = analyzer(clip_bytes=2**24)
    to_message = []
    for index in range(360):
        seen = frame(index, picture(index, BRAIN if index % 90 < 10 else OTHER))
        to_message += [message for message in passed(stage, seen) if isinstance(message, wire.Keyframe)]
    kept = [stored.keyframe for stored in stage.keyframe_store]
    assert [stage.keyframe_store.rank(stored) for stored in stage.keyframe_store] == [0, 1, 2, 3]
    runners_up = [message for message in to_message if message.rank]
    assert runners_up
    assert all(set(message.parts) == set(to_message[0].parts) for message in runners_up)
    assert {message.keyframe for message in runners_up} <= set(kept)
    assert stage.kept(kept[-1]).pixels.shape == (64, 64)
    times = sorted(stored.frame.pts_seconds for stored in stage.keyframe_store)
    assert np.diff(times).min() >= APART_SECONDS
    clips = {cut.best.keyframe for cut in stage.clips.taken()}
    assert clips
    assert not clips & {message.keyframe for message in runners_up}


def test_keyframes_that_waited_come_out_with_the_new_exam_and_can_still_be_fetched():
    stage = analyzer()
    dull = np.full((64, 64), 90, np.uint8)
    dull[0, :2] = (BRAIN, 45)
    dull[40:, 40:] = 97
    first = [m for m in passed(stage, frame(0, dull)) if isinstance(m, wire.Keyframe)]
    sharp = dull.copy()
    sharp[4:, ::2] += 20
    sharp[4:, 1::2] -= 20
    assert not [m for m in passed(stage, frame(1, sharp)) if isinstance(m, wire.Keyframe)]
    waited, event = stage.new_exam("exam-2", 1)
    assert first
    assert isinstance(waited, wire.Keyframe)
    assert (waited.exam, waited.frame.index, event.exam) == ("exam-1", 1, "exam-2")
    assert stage.kept(waited.keyframe) is not None
    assert stage.keyframe_store.get(waited.keyframe) is None
    stage.new_exam("exam-3", 2)
    assert stage.kept(waited.keyframe) is None


def test_a_snapshot_keeps_the_newest_frame_whatever_it_shows():
    stage = analyzer()
    with pytest.raises(ValueError, match="no frame"):
        stage.snapshot()
    readings(stage, [frame(0, picture(0, OTHER))])
    taken = stage.snapshot()
    assert (taken.plane, taken.chosen_by, taken.exam) == ("other", "operator", "exam-1")
    kept = stage.keyframe_store.get(taken.keyframe)
    assert kept is not None
    assert np.array_equal(kept.pixels, picture(0, OTHER))
    stage.new_exam("exam-2", 1)
    with pytest.raises(ValueError, match="no frame"):
        stage.snapshot()


def test_a_mark_says_where():
    stage = analyzer()
    assert stage.mark("before any frame")[0].detail == {"text": "before any frame"}
    readings(stage, brains(3))
    assert stage.mark("here")[0].detail["index"] == 2


def test_frames_are_finished_in_order():
    stage = analyzer()
    stage.prepare(frame(0), 0)
    second = stage.prepare(frame(1), 0)
    with pytest.raises(ValueError, match="order"):
        stage.finish(second, scores(second.frame.pixels), 0)


KINDS = st.sampled_from(["new", "same", "black", "not finite", "too small", "epoch"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(KINDS, st.just("finish"), st.just("exam"), st.just("spacing"), st.just("sector")), min_size=1)
)
def test_every_frame_is_counted_exactly_once_at_every_moment(steps):
    stage = analyzer(sector=Rectangle(0, 0, 48, 48))
    captured, epoch, pixels, on_the_way, to_message = 0, 0, picture(0), [], []
    for step in [*steps, *["finish"] * len(steps)]:
        if step == "finish":
            if on_the_way:
                prepared = on_the_way.pop(0)
                found = scores(prepared.frame.pixels) if prepared.action == "analyse" else None
                to_message += stage.finish(prepared, found, 0)
        elif step == "exam":
            to_message += stage.new_exam(f"exam {captured}", round(captured / 30 * 1e9))
        elif step == "spacing":
            to_message += stage.set_spacing(0.7)
        elif step == "sector":
            to_message += stage.set_sector(Rectangle(0, 0, 40, 48))
        else:
            epoch += step == "epoch"
            kinds = {"black": black(), "not finite": picture(captured, NOT_FINITE), "too small": picture(0)[:32, :32]}
            if step != "same":
                pixels = kinds.get(step, picture(captured, captured % 4))
            on_the_way.append(stage.prepare(frame(captured, pixels, epoch=epoch), 0))
            captured += 1
        counts = stage.counts(captured, 0, 0)
        assert captured == counts.analysed + counts.reused + counts.failed + counts.in_flight
        assert counts.in_flight == len(on_the_way)
    assert counts.in_flight == 0
    read = [m for m in to_message if isinstance(m, wire.Reading)]
    failed = [m for m in to_message if isinstance(m, wire.Event) and m.event == "frame_failed"]
    assert len(read) == counts.analysed + counts.reused
    assert bool(failed) == bool(counts.failed)
    assert len(failed) <= counts.failed  # a sector that goes on not to fit is told once
    assert [m.frame.index for m in read] == sorted(m.frame.index for m in read)
    for message in to_message:
        wire.encode(message)


def test_a_clip_ends_where_the_operator_sets_another_sector_and_where_an_examination_ends():
    stage = analyzer(sector=Rectangle(0, 0, 32, 16), clip_bytes=2**24)

    def through(frames):
        for taken in frames:
            prepared = stage.prepare(taken, taken.captured_ns)
            stage.finish(prepared, scores(taken.pixels) if prepared.action == "analyse" else None, taken.captured_ns)

    through(brains(20))
    late = brains(1, start=20)[0]
    prepared = stage.prepare(late, 0)
    stage.set_sector(Rectangle(4, 4, 32, 16))  # as large, elsewhere
    stage.finish(prepared, scores(late.pixels), 0)
    through(brains(20, start=21))
    (before,) = stage.clips.taken()
    assert (len(before.stills), before.exam) == (21, "exam-1")
    stage.new_exam("exam-2", 10**12)
    through(brains(100, start=41, captured_ns=2 * 10**12))
    shown = {"exam-1": [], "exam-2": []}
    for cut in stage.clips.taken():
        shown[cut.exam] += [round(30 * still.pts_seconds) for still in cut.stills]
    assert min(shown["exam-2"]) == 41
    assert shown["exam-1"]
    assert set(shown["exam-1"]) <= set(range(21, 41))


@pytest.mark.parametrize("between", ["nothing", "another sector", "the dark"])
def test_hindsight_ends_where_the_operator_sets_a_sector_and_in_the_dark(between):
    slow = Temporal(dwell_seconds=1.0, evidence_seconds=0.2, enter=0.9)
    stage = analyzer(model_info=dataclasses.replace(FACTS, temporal=slow))
    indices = itertools.count()

    def seen(contrast, brain, other):
        index = next(indices)
        pixels = np.random.default_rng(index).integers(0, 255, (64, 64)) * contrast + 20
        prepared = stage.prepare(frame(index, pixels.astype(np.uint8)), 0)
        found = HeadOutputs(
            np.zeros(175, np.float32), np.float32([0.1, brain, 0.1]), np.float32([0.2, 0.1]), other, None
        )
        return stage.finish(prepared, found, 0)[0]

    for _ in range(30):
        seen(0.3, 0.1, 0.12)
    unnamed = [seen(0.9, 0.2, 0.1) for _ in range(3)]
    assert {reading.plane for reading in unnamed} == {None}
    if between == "another sector":
        stage.set_sector(Rectangle(16, 16, 32, 32))
    elif between == "the dark":
        for _ in range(6):
            passed(stage, frame(next(indices), black()))
    while seen(0.3, 0.2, 0.1).plane is None:
        continue
    stage.flush()
    best = next(iter(stage.keyframe_store)).frame.index
    assert (best in {reading.frame.index for reading in unnamed}) == (between == "nothing")
