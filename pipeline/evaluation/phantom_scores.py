"""A model's scores of phantom scans are cached here, so that constants of decisions over time are tuned in seconds."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.engine.engine import Encoding
from fetalstream.pipeline.evaluation.metrics import FloatArray, LabelArray, Mask
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.stream.preparation import Preparation
from fetalstream.streamer.phantom.source import PhantomSource

_BATCH: Final = 8


@dataclass(frozen=True, eq=False)
class PhantomScores:
    """All frames of one scan, in order: the model's scores and the truth.

    Attributes:
        pts_seconds: (N,) media time.
        epoch: (N,) int.
        spacing_mm: (N,) mm per pixel of the frame.
        analysed: (N,) bool; False if the picture repeats, and the row is that of the frame it repeats.
        embedding: (N, D) unit vectors.
        planes: (N, P) cosines.
        subplanes: (N, S) cosines.
        other: (N,) cosines; NaN if the prompts have no sentences about "other".
        contrast: (N,) 0 to 1.
        sharpness: (N,) 0 to 1.
        steadiness: (N,) 0 to 1.
        true_plane: (N,) str, "" for other tissue.
        true_subplane: (N,) str, "" for none.
        true_label: (N,) str: a plane, "other", or "" if the truth lies between and is not scored.
        in_plane: (N,) 0 to 1, how well the plane is hit.
        gestation_days: (N,) true age.
    """

    pts_seconds: FloatArray
    epoch: npt.NDArray[np.int64]
    spacing_mm: FloatArray
    analysed: Mask
    embedding: FloatArray
    planes: FloatArray
    subplanes: FloatArray
    other: FloatArray
    contrast: FloatArray
    sharpness: FloatArray
    steadiness: FloatArray
    true_plane: LabelArray
    true_subplane: LabelArray
    true_label: LabelArray
    in_plane: FloatArray
    gestation_days: FloatArray

    def __len__(self) -> int:
        return len(self.pts_seconds)


def phantom_scores_of(seed: int, seconds: float, encoder: Encoding, kept_in: Path | None = None) -> PhantomScores:
    """Return the scores of a phantom seed, from the cached ``kept_in/SEED.npz`` if it exists.

    Args:
        seed: seed of the phantom.
        seconds: media time; a cached file of another length, or without all columns, is made again.
        encoder: the model that scores the frames; each model needs a folder of its own.
        kept_in: folder of the cache; None to keep nothing.
    """
    file = None if kept_in is None else kept_in / f"{seed}.npz"
    source = PhantomSource(seed, seconds=seconds)
    if file is not None and file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            if set(kept.files) == set(_NAMES) and len(kept["pts_seconds"]) == source.frames_expected:
                return PhantomScores(**kept)
    made = PhantomScores(**_columns(_rows(source, encoder)))
    if file is not None:
        _write(file, made)
    return made


_NAMES: Final = tuple(field.name for field in fields(PhantomScores))


def _rows(source: PhantomSource, encoder: Encoding) -> list[dict[str, Any]]:
    """Make one row a frame; a repeated or black frame takes the scores of the frame before it (or the first scored)."""
    rows: list[dict[str, Any]] = []
    waiting: list[tuple[int, Item]] = []
    preparation = Preparation()

    def encode() -> None:
        for (row, _), scores in zip(waiting, encoder.submit([item for _, item in waiting]).result(), strict=True):
            if scores is None:
                raise ValueError(f"the model's output of phantom frame {row} is not finite")
            rows[row] |= {
                "embedding": scores.embedding.copy(), "planes": scores.plane_cosines.copy(),
                "subplanes": scores.subplane_cosines.copy(),
                "other": np.nan if scores.other_cosine is None else scores.other_cosine,
            }  # fmt: skip
        waiting.clear()

    for frame in source:
        prepared = preparation.prepare(frame)
        truth = source.truth(frame.index)
        row: dict[str, Any] = {
            "pts_seconds": frame.pts_seconds, "epoch": frame.epoch, "spacing_mm": frame.spacing_mm,
            "analysed": prepared.action == "analyse", "true_plane": truth.plane or "",
            "true_subplane": truth.subplane or "", "true_label": truth.label or "", "in_plane": truth.in_plane,
            "gestation_days": truth.gestation_days,
        }  # fmt: skip
        if prepared.quality is not None:
            row |= msgspec.structs.asdict(prepared.quality)
            waiting.append((len(rows), Item(prepared.frame.pixels)))
        rows.append(row)
        if len(waiting) == _BATCH:
            encode()
    if waiting:
        encode()
    first = next((row for row in rows if "embedding" in row), {})
    for before, row in zip([first, *rows], rows, strict=False):
        for name in _NAMES:
            row.setdefault(name, before.get(name))
    return rows


def _columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.asarray([row[name] for row in rows]) for name in _NAMES}


def _write(file: Path, scores: PhantomScores) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as out:
            np.savez(out, **{name: getattr(scores, name) for name in _NAMES})
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
