from dataclasses import dataclass

import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.engine import Engine
from fetalstream.pipeline.engine.stream_runner import make_stream
from fetalstream.pipeline.model.heads import HeadOutputs
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.simulation.demo import analyse, judge
from fetalstream.streamer.phantom.source import PLANES, PhantomSource
from tests.pipeline.doubles import Done, ListSink, ListSource, frame, picture

SEED = 7


@dataclass
class Seen:
    label: str | None
    gestation_days: float = 150.0


def reading(index, plane, days=None):
    gestation = None
    if days is not None:
        gestation = wire.Gestation(
            days=days, low_days=days - 7, high_days=days + 7, frame_days=days, frames=1, zooms=1, method="test"
        )
    return wire.Reading(
        frame=wire.FrameInfo(index=index, epoch=0, pts_seconds=index / 10, captured_ns=0),
        state="live",
        reused=False,
        planes={},
        plane=plane,
        subplanes=None,
        subplane=None,
        gestation=gestation,
        gestation_missing=None,
        quality=None,
        ask=None,
        latency_ms=wire.Latency(),
        model="test",
        calibrated=False,
        dropped=0,
    )


def test_frames_are_judged_once_the_truth_has_stood_for_half_a_second():
    truth = ["other"] * 10 + [None] * 5 + ["brain"] * 10
    said = [None] * 10 + ["brain"] * 5 + [None] * 5 + ["brain"] * 4 + ["femur"]
    found = judge([reading(i, plane) for i, plane in enumerate(said)], lambda i: Seen(truth[i]))
    assert found["scored_frames"] == 5 + 5  # the settled halves of "other" and of the brain
    assert found["plane_accuracy"] == pytest.approx(9 / 10)
    assert found["other_recall"] == 1


def test_ages_are_judged_on_true_brains_that_carry_one():
    readings = [reading(0, "brain", 140.0), reading(1, "brain", 152.0), reading(2, "brain", 151.0), reading(3, None)]
    truth = ["femur", "brain", "brain", "brain"]
    found = judge(readings, lambda i: Seen(truth[i]))
    assert (found["gestation_median_error_days"], found["gestation_frames"]) == (1.5, 2)


def test_what_could_not_be_judged_is_unknown():
    found = judge([reading(0, "brain")], lambda _: Seen(None))
    assert (found["plane_accuracy"], found["other_recall"], found["gestation_median_error_days"]) == (None, None, None)


class Oracle:
    """Finds what the double's pictures say, among the phantom's labels."""

    batch, live_batches = 8, 1

    def submit(self, items):
        return Done([self.scores(int(item.pixels[0, 0]), int(item.pixels[0, 1]) + 98) for item in items])

    def scores(self, finds, day):
        cosines = np.full(len(PLANES) + 1, 0.1, np.float32)
        cosines[finds] = 0.2
        row = (-(((GRID_DAYS - day) / 12.0) ** 2)).astype(np.float32)
        return HeadOutputs(row, cosines[:-1], np.full(3, 0.1, np.float32), float(cosines[-1]), None)


FACTS = ModelInfo(
    name="oracle",
    calibrated=False,
    image_size=128,
    planes=tuple(PLANES),
    subplanes=("trans-thalamic", "trans-cerebellum", "trans-ventricular"),
)


def sentences(spacing_mm):
    return np.eye(175, dtype=np.float32) / 100


def test_a_perfect_model_is_read_almost_perfectly():
    """What smoothing and thresholds cost over a minute of the phantom's course, without drawing it."""
    source = PhantomSource(SEED)
    truths = [source.truth(i) for i in range(1800)]
    labels = [*PLANES, "other"]
    frames = [
        frame(
            truth.index,
            picture(
                truth.index,
                labels.index(truth.plane if truth.plane is not None and truth.in_plane > 0.5 else "other"),
                round(truth.gestation_days),
            ),
            epoch=truth.leg,
        )
        for truth in truths
    ]
    sink = ListSink()
    Engine(Oracle(), [make_stream(ListSource(frames), "stream-1", "e", FACTS, sentences, every_frame=True)], sink).run()
    found = judge(sink.of(wire.Reading), lambda i: truths[i])
    assert found["plane_accuracy"] >= 0.99
    assert found["other_recall"] >= 0.99
    assert found["gestation_median_error_days"] <= 1


def test_every_frame_of_the_phantom_is_analysed_and_progress_is_told():
    class Blind:
        batch, live_batches = 8, 1

        def submit(self, items):
            return Done([Oracle().scores(len(PLANES), 150) for _ in items])

    told = []
    collected = analyse(5.0, SEED, Blind(), FACTS, sentences, told.append)
    counts = collected.counts
    assert counts.captured == 150 == counts.analysed + counts.reused
    assert (counts.dropped, counts.failed, counts.in_flight) == (0, 0, 0)
    assert [r.frame.index for r in collected.readings] == list(range(150))
    assert told == ["150 of 150 frames"]
