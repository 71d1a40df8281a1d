"""The table of what starts afresh when: each event against each thing that a stream remembers."""

import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.readout.latency import BatchTimings
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.streamer.capture.remote_masker import RemoteMasker, to_message
from fetalstream.streamer.region.masker import Masked, RegionEvent
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import FACTS, OTHER, bank, black, frame, picture, scores

BRAIN, FEMUR = 1, 2
EVENTS = ("nothing", "epoch", "layout", "exam", "spacing", "sector", "dark", "refused")
STARTS_AFRESH = {
    "reuse": {"epoch", "layout", "exam", "spacing", "sector", "dark", "refused"},
    "steadiness": {"epoch", "layout", "exam", "sector"},
    "planes": {"epoch", "layout", "exam", "sector", "dark"},
    "subplanes": {"epoch", "layout", "exam", "sector", "dark"},
    "question": {"epoch", "layout", "exam", "sector"},
    "freeze": {"epoch", "layout", "sector", "dark"},
    "ages": {"exam", "spacing"},
    "operator's spacing": {"layout"},
    "clip": {"epoch", "layout", "exam", "sector"},
    "best frames": {"exam"},
}


class Scan:
    """A stream whose frames come masked from another process, so that a test may say anything of any of them."""

    def __init__(self):
        self.masker = RemoteMasker(None, lambda _: None)
        self.analyzer = StreamAnalyzer("stream-1", "exam-1", FACTS, bank, sector=self.masker, clip_bytes=2**24)
        self.index = self.epoch = 0

    def show(self, pixels, *, events=(), trouble=None):
        """The messages of the next frame."""
        taken = frame(self.index, pixels, epoch=self.epoch)
        named = tuple(RegionEvent(each) for each in events)
        self.masker.receive(to_message(self.index, Masked(taken, None, named, trouble), self.masker.revision))
        self.index += 1
        prepared = self.analyzer.prepare(taken, taken.captured_ns)
        asked = prepared.action == "analyse"
        found = scores(prepared.frame.pixels) if asked else None
        return self.analyzer.finish(prepared, found, taken.captured_ns, BatchTimings(0, 0, 0) if asked else None)

    def read(self, pixels):
        return next(each for each in self.show(pixels) if isinstance(each, wire.Reading))

    def happen(self, event):
        """Let it happen between two frames of the scan."""
        if event in ("epoch", "layout"):
            self.epoch += 1
            if event == "layout":
                self.show(black(), events=["layout_changed"], trouble="told with a frame that is refused")
        elif event == "exam":
            self.analyzer.new_exam("exam-2", frame(self.index).captured_ns)
        elif event == "spacing":
            self.analyzer.set_spacing(3.0)
        elif event == "sector":
            self.analyzer.set_sector(Rectangle(0, 0, 64, 64))
        elif event == "dark":
            self.show(black())
        elif event == "refused":
            self.show(picture(399), trouble="it does not fit")


def brains(scan, count=20, day=143):
    return [scan.read(picture(scan.index, BRAIN, day)) for _ in range(count)]


def reuse(event):
    scan = Scan()
    scan.read(picture(0, BRAIN))
    scan.happen(event)
    return not scan.read(picture(0, BRAIN)).reused


def steadiness(event):
    scan = Scan()
    brains(scan)
    scan.happen(event)
    other = 255 - picture(0, BRAIN)
    other[0] = picture(0, BRAIN)[0]
    return scan.read(other).quality.steadiness == 1


def planes(event):
    scan = Scan()
    brains(scan)
    scan.happen(event)
    score = scan.read(picture(50, FEMUR)).planes["femur"]
    return score.smoothed == pytest.approx(score.raw, abs=0.01)


def subplanes(event, monkeypatch):
    scan = Scan()
    brains(scan)
    scan.happen(event)
    monkeypatch.setattr("tests.pipeline.doubles.SUBPLANE_COSINES", (0.1, 0.2))
    score = scan.read(picture(50, BRAIN)).subplanes["trans-cerebellum"]
    return score.smoothed == pytest.approx(score.raw, abs=0.002)  # the filter's floor


def question(event, monkeypatch):
    scan = Scan()
    seen = []
    meter = type("Meter", (), {"update": lambda self, pts, segment, embedding: seen.append(segment)})()
    monkeypatch.setattr("fetalstream.pipeline.stream.interpreter.AskMeter", lambda asked: meter)
    scan.analyzer.ask(object())
    brains(scan, 1)
    scan.happen(event)
    brains(scan, 1)
    return seen[0].picture != seen[-1].picture


def freeze(event):
    scan = Scan()
    still = [scan.read(picture(0, BRAIN)) for _ in range(30)]
    assert still[-1].state == "frozen"
    scan.happen(event)
    return scan.read(picture(0, BRAIN)).state == "live"


def ages(event):
    scan = Scan()
    brains(scan)
    scan.happen(event)
    return brains(scan, 5, day=200)[0].gestation.frames == 1


def operators_spacing(event):
    scan = Scan()
    scan.analyzer.set_spacing(2.0)
    brains(scan)
    scan.happen(event)
    return brains(scan)[-1].frame.spacing_from != "operator"


def clip(event):
    scan = Scan()
    brains(scan)
    before = scan.index
    scan.happen(event)
    for _ in range(60):
        scan.read(picture(scan.index, OTHER))
    (cut,) = scan.analyzer.clips.taken()
    return all(round(30 * still.pts_seconds) < before for still in cut.stills)


def best_frames(event):
    scan = Scan()
    brains(scan)
    before = scan.index
    scan.happen(event)
    scan.read(picture(scan.index, OTHER))
    return not [each for each in scan.analyzer.keyframe_store if each.frame.index < before]


PROBES = {
    "reuse": reuse, "steadiness": steadiness, "planes": planes, "subplanes": subplanes, "question": question,
    "freeze": freeze, "ages": ages, "operator's spacing": operators_spacing, "clip": clip, "best frames": best_frames,
}  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("memory", STARTS_AFRESH)
def test_what_starts_afresh_when(memory, event, monkeypatch):
    probe = PROBES[memory]
    more = (monkeypatch,) if memory in ("subplanes", "question") else ()
    assert probe(event, *more) == (event in STARTS_AFRESH[memory])


def test_frames_masked_the_old_way_that_are_still_on_their_way_teach_nothing_to_what_comes():
    scan = Scan()
    brains(scan)
    late = frame(scan.index, picture(scan.index, BRAIN))
    scan.index += 1
    prepared = scan.analyzer.prepare(late, late.captured_ns)
    scan.analyzer.set_sector(Rectangle(0, 0, 64, 64))
    scan.analyzer.finish(prepared, scores(late.pixels), late.captured_ns)
    score = scan.read(picture(50, FEMUR)).planes["femur"]
    assert score.smoothed == pytest.approx(score.raw, abs=0.01)


def test_ages_of_frames_on_their_way_are_not_counted_with_another_scale():
    scan = Scan()
    brains(scan)
    late = frame(scan.index, picture(scan.index, BRAIN))
    scan.index += 1
    prepared = scan.analyzer.prepare(late, late.captured_ns)
    scan.analyzer.set_spacing(3.0)
    scan.analyzer.finish(prepared, scores(late.pixels), late.captured_ns)
    assert brains(scan, 1, day=200)[0].gestation.frames == 1


def test_a_brain_that_is_not_sure_enough_counts_for_no_age():
    scan, pixels = Scan(), picture(40, BRAIN)
    prepared = scan.analyzer.prepare(frame(0, pixels), 0)
    outputs = scores(pixels)
    outputs.plane_cosines[:] = (0.1, 0.161, 0.15)  # three to one: enough for a plane, not for an age
    reading = scan.analyzer.finish(prepared, outputs, 0)[0]
    assert reading.plane == "brain"
    assert 0.7 < reading.planes["brain"].smoothed < 0.8
    assert (reading.gestation, reading.gestation_missing) == (None, "uncertain")


def test_a_picture_that_was_there_before_counts_for_no_age():
    scan = Scan()
    for second in range(9):  # so far apart that each is looked at again, though the picture is the same
        taken = frame(second * 90, picture(0, BRAIN))
        prepared = scan.analyzer.prepare(taken, taken.captured_ns)
        assert prepared.action == "analyse"
        reading = scan.analyzer.finish(prepared, scores(taken.pixels), taken.captured_ns)[0]
    assert reading.gestation.frames == 1


def test_a_picture_that_differs_by_noise_alone_counts_for_no_age():
    scan, noise = Scan(), np.random.default_rng(0)
    first = picture(0, BRAIN)
    scan.read(first)
    for _ in range(8):
        noisy = first.copy()
        noisy[1:] += noise.integers(0, 2, noisy[1:].shape, np.uint8)
        reading = scan.read(noisy)
        assert (reading.reused, reading.state) == (True, "live")
    assert reading.gestation.frames == 1
