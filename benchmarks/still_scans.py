"""Decisions over time are measured on scans simulated from stills: a virtual probe moves over real pictures.

Each visit to a still comes in over its edge and out of focus, rests on it (slow pan, zoom and turn, speckle that moves,
changing gain, now and then a shadow), and leaves again; between visits the probe rests on what shows no plane. How far
in plane a frame is, and so its truth, is known exactly. Nothing here is a real scan: tissue does not deform, and every
visit is one moment of one fetus.

Each fold's model (``foldK.safetensors`` of `pipeline.training`) is judged on stills of its own fold.
Run: ``python -m benchmarks.still_scans --data ../shared/data --weights FOLDER``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.real_folds import pipelines_of_folds
from fetalstream.pipeline.evaluation.temporal_metrics import UNSCORED, TemporalOutcome, temporal_outcome, total
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.readout.segment import Segment
from fetalstream.pipeline.readout.temporal import PlaneFilter, Temporal
from fetalstream.pipeline.training.real_pictures import RealPicture, all_pictures
from fetalstream.pipeline.wire import OTHER

WIDTH, HEIGHT, RATE_HZ = 640, 480, 15
APPROACH_S, REST_S, AWAY_S = 0.8, 3.0, 2.0
IN_PLANE, OUT_OF_PLANE = 0.8, 0.15
"""From here on a frame shows its plane, and up to here none; between the two it is not scored."""

VISITS = 6  # a scan


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame: uint8 pixels (480, 640), media time in seconds, and its true label ("" between two labels)."""

    pixels: np.ndarray
    pts_seconds: float
    truth: str


def shots_of(stills: Sequence[RealPicture], away: Sequence[RealPicture], seed: int) -> Iterator[Shot]:
    """Draw a scan that visits the stills one after another.

    Args:
        stills: pictures of planes.
        away: pictures of no plane, shown between the visits; without any the probe stays off the still's edge.
        seed: seed of everything that is random.
    """
    rng = np.random.default_rng(seed)
    speckle = 1 + 0.18 * cv2.GaussianBlur(rng.standard_normal((HEIGHT * 2, WIDTH * 2)).astype(np.float32), (0, 0), 1.2)
    index = 0
    for still in stills:
        pause = away[int(rng.integers(len(away)))] if len(away) and rng.random() < 0.5 else None
        course = _Course(rng)
        for share, resting in _timeline():
            shown, truth = still, _truth(still, share)
            if pause is not None and share == 0 and resting:
                shown, share, truth = pause, 1.0, OTHER
            pixels = course.draw(shown.pixels, share, index / RATE_HZ)
            y, x = (int(v) for v in rng.integers(0, HEIGHT, 2))
            lively = np.clip(pixels * speckle[y : y + HEIGHT, x : x + WIDTH], 0, 255)
            yield Shot(lively.astype(np.uint8), index / RATE_HZ, truth)
            index += 1


def _timeline() -> Iterator[tuple[float, bool]]:
    """Yield how far in plane each frame of a visit is, 0 to 1, and whether the probe rests there."""
    yield from ((0.0, True) for _ in range(round(AWAY_S * RATE_HZ)))
    steps = round(APPROACH_S * RATE_HZ)
    yield from ((step / steps, False) for step in range(steps))
    yield from ((1.0, True) for _ in range(round(REST_S * RATE_HZ)))
    yield from ((1 - step / steps, False) for step in range(steps))


def _truth(still: RealPicture, share: float) -> str:
    if share >= IN_PLANE:
        return still.label
    return OTHER if share <= OUT_OF_PLANE else UNSCORED


class _Course:
    """The way of the probe over one still."""

    def __init__(self, rng: np.random.Generator) -> None:
        angle = float(rng.uniform(0, 2 * np.pi))
        self._from = np.array((np.cos(angle), np.sin(angle)))
        self._phase = rng.uniform(0, 2 * np.pi, 5)
        self._zoom = float(rng.uniform(0.9, 1.1))
        self._shadow = rng.random() < 0.3

    def draw(self, pixels: np.ndarray, share: float, seconds: float) -> np.ndarray:
        """Return float32 (480, 640) pixels, 0 to 255, of a picture that is ``share`` in plane."""
        height, width = pixels.shape
        fit = min(WIDTH / width, HEIGHT / height)
        sway = np.sin(0.9 * seconds + self._phase)
        zoom = fit * self._zoom * (1 + 0.04 * sway[0]) * (1 + 0.25 * (1 - share))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 4 * float(sway[1]) + 15 * (1 - share), zoom)
        off = 0.62 * (1 - share) * np.array((WIDTH, HEIGHT)) * self._from
        matrix[:, 2] += np.array((WIDTH, HEIGHT)) / 2 - np.array((width, height)) / 2 + 9 * sway[2:4] + off
        out = cv2.warpAffine(pixels, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR).astype(np.float32)
        if share < 1:
            out = cv2.GaussianBlur(out, (0, 0), 0.3 + 9 * (1 - share)).astype(np.float32)
        if self._shadow:
            middle = WIDTH * (0.5 + 0.45 * float(sway[4]))
            columns = 1 - 0.7 * np.exp(-(((np.arange(WIDTH) - middle) / 35) ** 2))
            out = out * columns.astype(np.float32)
        return out * np.float32(1 + 0.12 * sway[4])


def outcome_of(pipeline: LoadedPipeline, shots: Sequence[Shot], temporal: Temporal | None = None) -> TemporalOutcome:
    """Decide every frame of a scan as the product does, without masking, and compare with the truth."""
    labels = (*pipeline.model_info.planes, OTHER)
    stage = PlaneFilter(labels, temporal or pipeline.model_info.temporal)
    decided: list[str] = []
    for start in range(0, len(shots), 16):
        some = shots[start : start + 16]
        for shot, scores in zip(some, pipeline.encoder.submit([Item(s.pixels) for s in some]).result(), strict=True):
            row = pipeline.model_info.rejector.probabilities(scores.plane_cosines, scores.other_cosine)
            decided.append(stage.update(shot.pts_seconds, Segment(), row).plane or OTHER)
    return temporal_outcome([s.pts_seconds for s in shots], [s.truth for s in shots], decided)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds fetal_planes, fugc, hc18 and video/lung")
    parser.add_argument("--weights", type=Path, required=True, help="folder with fold0.safetensors and so on")
    parser.add_argument("--scans", type=int, default=8, help="scans a fold")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    known = [picture for picture in all_pictures(args.data) if picture.dataset in ("fetal_planes", "lung")]
    outcomes: list[TemporalOutcome] = []
    for fold, pipeline in pipelines_of_folds(args.weights):
        own = [picture for picture in known if picture.fold == fold]
        away = [picture for picture in own if picture.label == OTHER]
        kinds = sorted({picture.label for picture in own} - {OTHER})
        for number in range(args.scans):
            rng = np.random.default_rng((fold, number))
            by_kind = {kind: [picture for picture in own if picture.label == kind] for kind in kinds}
            visited = [by_kind[kind][int(rng.integers(len(by_kind[kind])))] for kind in rng.choice(kinds, VISITS)]
            outcomes.append(outcome_of(pipeline, list(shots_of(visited, away, 1000 * fold + number))))
    found = total(outcomes)
    print(json.dumps({"simulated_from": "stills", "scans": len(outcomes), "seconds": found.seconds, **found.metrics()}))


if __name__ == "__main__":
    main()
