"""An ablation of the parts of a best frame's score, and of hindsight, on phantom scans of training seeds.

The model reads the scans once; then `pipeline.stream.keyframe_selector` and `pipeline.keyframes.keyframe_store` choose
again with one part left out, or with equal weights. A plane counts if it was in view for a second or more; its best
frame is good if its true in-plane value is within 0.05 of the best in the scan. Freezes have no bonus here; black
pictures count as repetitions.

Run: ``python -m benchmarks.best_frames --kept-in scores``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fetalstream.pipeline import wire
from fetalstream.pipeline.evaluation.phantom_scores import PhantomScores, phantom_scores_of
from fetalstream.pipeline.keyframes import keyframe_store, stored_keyframe
from fetalstream.pipeline.keyframes.keyframe_store import KeyframeStore
from fetalstream.pipeline.loaded_pipeline import load_pipeline
from fetalstream.pipeline.model.model_info import ModelInfo
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.readout.temporal import PlaneFilter
from fetalstream.pipeline.simulation import phantom
from fetalstream.pipeline.stream import keyframe_selector
from fetalstream.pipeline.stream.keyframe_selector import KeyframeSelector
from fetalstream.pipeline.stream.preparation import PreparedFrame
from fetalstream.pipeline.training.fit import parse_seeds
from fetalstream.streamer.frame import Frame

SECONDS = 60.0
EQUAL = dict.fromkeys(stored_keyframe.WEIGHTS, 1.0)
WITHOUT = {f"without {part}": stored_keyframe.WEIGHTS | {part: 0.0} for part in stored_keyframe.WEIGHTS}
QUALITY = wire.Quality.__struct_fields__
PIXELS = np.zeros((1, 1), np.uint8)


def readings(scan: PhantomScores, model_info: ModelInfo) -> list[tuple[PreparedFrame, wire.Reading]]:
    """Make the reading of each frame, without ages and subplanes."""
    labels = (*model_info.planes, wire.OTHER)
    over_time = PlaneFilter(labels, model_info.temporal)
    found: list[tuple[PreparedFrame, wire.Reading]] = []
    for i, (pts, epoch) in enumerate(zip(scan.pts_seconds.tolist(), scan.epoch.tolist(), strict=True)):
        raw = model_info.rejector.probabilities(scan.planes[i], float(scan.other[i]))
        seen = over_time.update(pts, Segment(epoch=epoch), raw)
        assert seen.probabilities is not None
        scores = zip(labels, raw.tolist(), seen.probabilities.tolist(), strict=True)
        reading = wire.Reading(
            exam="", frame=wire.FrameInfo(index=i, epoch=epoch, pts_seconds=pts, captured_ns=0), state="live",
            reused=not scan.analysed[i],
            planes={label: wire.LabelScore(cosine=None, raw=one, smoothed=smoothed) for label, one, smoothed in scores},
            plane=seen.plane, subplanes=None, subplane=None, gestation=None, gestation_missing=None,
            quality=wire.Quality(**{part: float(getattr(scan, part)[i]) for part in QUALITY}),
            ask=None, latency_ms=wire.Latency(), model=model_info.name, calibrated=True, dropped=0,
        )  # fmt: skip
        action = "analyse" if scan.analysed[i] else "reuse"
        prepared = PreparedFrame(
            Frame(PIXELS, i, pts, 0, epoch), Segment(epoch=epoch), action, "live", reading.reused, reading.quality
        )
        found.append((prepared, reading))
    return found


def regrets(scan: PhantomScores, read: list[tuple[PreparedFrame, wire.Reading]], model_info: ModelInfo) -> list[float]:
    """Choose best frames and return their regrets, see `pipeline.simulation.phantom.keyframe_regrets`."""
    kept, offering = KeyframeStore(), KeyframeSelector(model_info)
    for prepared, reading in read:
        offering.read(prepared, reading, kept)
        kept.due(reading.frame.epoch, reading.frame.pts_seconds)
    kept.flush()
    best_of = {each.frame.index: each.plane for each in kept if kept.rank(each) == 0}
    rows = zip(scan.pts_seconds.tolist(), scan.true_label, scan.true_plane, scan.in_plane.tolist(), strict=True)
    no_predictions = ("", "", "")
    return phantom.keyframe_regrets([
        phantom.JudgedFrame(
            0, index, pts, truth, body, in_plane, *no_predictions, best_of.get(index, ""), 0, None, None, None, None
        )
        for index, (pts, truth, body, in_plane) in enumerate(rows)
    ])  # fmt: skip


@contextmanager
def changed(weights: Mapping[str, float], hindsight_seconds: float, min_gain: float) -> Generator[None]:
    """Run the body with other constants of the product."""
    before = dict(stored_keyframe.WEIGHTS), keyframe_selector.HINDSIGHT_SECONDS, keyframe_store.MIN_GAIN
    stored_keyframe.WEIGHTS.update(weights)
    keyframe_selector.HINDSIGHT_SECONDS, keyframe_store.MIN_GAIN = hindsight_seconds, min_gain  # type: ignore[misc]
    try:
        yield
    finally:
        stored_keyframe.WEIGHTS.update(before[0])
        keyframe_selector.HINDSIGHT_SECONDS, keyframe_store.MIN_GAIN = before[1:]  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=parse_seeds, default=parse_seeds("1940000-1940015"))
    parser.add_argument(
        "--kept-in", type=Path, default=None, help="folder that caches the model's scores, which take the time"
    )
    options = parser.parse_args()
    pipeline = load_pipeline("mini")
    scans = []
    for seed in options.seeds:
        scans.append(phantom_scores_of(seed, SECONDS, pipeline.encoder, options.kept_in))
        print(f"seed {seed} read", file=sys.stderr)
    read = [readings(scan, pipeline.model_info) for scan in scans]
    shipped = (stored_keyframe.WEIGHTS, keyframe_selector.HINDSIGHT_SECONDS, keyframe_store.MIN_GAIN)
    variants = {
        "as shipped": shipped,
        **{name: (weights, *shipped[1:]) for name, weights in WITHOUT.items()},
        "all parts alike": (EQUAL, *shipped[1:]),
        "without hindsight": (shipped[0], 0.0, shipped[2]),
        "minimum gain 5%": (*shipped[:2], 0.05),
    }
    found = {}
    for name, constants in variants.items():
        with changed(*constants):
            regret = np.array(
                [v for scan, rows in zip(scans, read, strict=True) for v in regrets(scan, rows, pipeline.model_info)]
            )
        found[name] = {
            "within": round(float((regret <= phantom.GOOD_REGRET).mean()), 3),
            "regret_p95": round(float(np.percentile(regret, 95, method="higher")), 3),
            "planes": len(regret),
        }
        print(f"{name:20}", "  ".join(f"{key} {value}" for key, value in found[name].items()), file=sys.stderr)
    print(json.dumps({"seeds": [min(options.seeds), max(options.seeds)], **found}))


if __name__ == "__main__":
    main()
