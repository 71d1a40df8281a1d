"""Planes, sections and rejection on real pictures, each judged by the model of the fold that has not seen its patient.

`pipeline.training` with ``--held-out K`` makes the model of fold K (``foldK.safetensors``). Each judges the pictures of
its fold of FETAL_PLANES_DB, FUGC and the lung clips, and everything is pooled: rare classes cannot be judged on one
split. "Other" is told apart by what it shows, since most of FETAL_PLANES_DB's are screens of vessels (Aloka). The
published answers of FetalCLIP to the very same pictures are judged beside ours.

Run: ``python -m benchmarks.real_folds --data ../shared/data --weights FOLDER``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from fetalstream.pipeline.evaluation.metrics import auroc, expected_calibration_error, macro_f1, share_with_interval
from fetalstream.pipeline.inference.encoder import Item
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline, load_pipeline
from fetalstream.pipeline.training.__main__ import MODEL
from fetalstream.pipeline.training.folds import FOLDS
from fetalstream.pipeline.training.real_pictures import RealPicture, all_pictures
from fetalstream.pipeline.wire import OTHER

SURE = 0.8
VESSELS = frozenset({"00012", "00013", "00026", "00042", "00043"})  # patients whose pictures of "other" are of arteries
_BATCH = 16


def pipelines_of_folds(folder: Path) -> Iterator[tuple[int, LoadedPipeline]]:
    """Yield each fold with the model that has not seen it, ``foldK.safetensors``; say which are missing."""
    for fold in range(FOLDS):
        weights = folder / f"fold{fold}.safetensors"
        if weights.exists():
            yield fold, load_pipeline(MODEL, weights=weights, device="cpu", precision="fp32")
        else:
            print(f"{weights} is missing: fold {fold} is not judged", file=sys.stderr)


def probabilities(pipeline: LoadedPipeline, pictures: Sequence[RealPicture]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of planes and "other" (N, P + 1), and the index of the likeliest subplane (N,)."""
    rows, subplanes = [], []
    for start in range(0, len(pictures), _BATCH):
        items = [Item(picture.pixels) for picture in pictures[start : start + _BATCH]]
        for scores in pipeline.encoder.submit(items).result():
            rows.append(pipeline.model_info.rejector.probabilities(scores.plane_cosines, scores.other_cosine))
            subplanes.append(int(scores.subplane_cosines.argmax()))
    return np.array(rows), np.array(subplanes)


def figures(pictures: Sequence[RealPicture], table: np.ndarray, planes: Sequence[str], sections: np.ndarray) -> dict:
    """Compute the figures of pooled pictures.

    Args:
        pictures: N pictures.
        table: (N, P + 1) probabilities of the planes and "other".
        planes: the P planes.
        sections: (N,) names of the likeliest subplanes.
    """
    truth = np.array([picture.label for picture in pictures])
    subjects = np.array([f"{picture.dataset}:{picture.subject}" for picture in pictures])
    dataset = np.array([picture.dataset for picture in pictures])
    machine = np.array([picture.machine or "" for picture in pictures])
    section = np.array([picture.subplane or "" for picture in pictures])
    named = np.array(planes)[table[:, :-1].argmax(axis=1)]
    likeliest = np.array([*planes, OTHER])[table.argmax(axis=1)]
    published = (dataset == "fetal_planes") & (truth != OTHER)
    of_vessels = np.array([picture.subject in VESSELS for picture in pictures])
    inside, brains = 1 - table[:, -1], section != ""
    brain = table[:, list(planes).index("brain")]
    out = {
        "pictures": int(published.sum()),
        "planes_f1": macro_f1(truth[published], named[published]),
        "planes_accuracy": share_with_interval((named == truth)[published], subjects[published]).to_dict(),
        "sections_f1": macro_f1(section[brains], sections[brains]),
        "calibration_error": expected_calibration_error(table.max(axis=1), likeliest == truth),
        "brain_of_others": share_with_interval(brain[truth != "brain"] >= SURE, subjects[truth != "brain"]).to_dict(),
    }
    others = {
        "vessels": (dataset == "fetal_planes") & (truth == OTHER) & of_vessels,
        "fetal": (dataset == "fetal_planes") & (truth == OTHER) & ~of_vessels,
        "lung": dataset == "lung",
        "other": truth == OTHER,
    }
    for name, rows in others.items():
        if rows.any():
            both = published | rows
            out[f"auroc_{name}"] = auroc(inside[both], published[both])
            out[f"named_{name}"] = share_with_interval(table[rows, :-1].max(axis=1) >= SURE, subjects[rows]).to_dict()
    out["by_machine"] = {
        name: {"n": int(rows.sum()), "accuracy": float((named == truth)[rows].mean())}
        for name in sorted(set(machine[published]))
        if (rows := published & (machine == name)).any()
    }
    return out


def published_answers(data: Path, pictures: Sequence[RealPicture]) -> dict:
    """Judge FetalCLIP's published answers to the pictures of FETAL_PLANES_DB, joined by name."""
    with (data / "fetal_planes" / "FETAL_PLANES_DB_data.csv").open(newline="", encoding="utf-8-sig") as lines:
        table = list(csv.DictReader(lines, delimiter=";"))
    wanted = {Path(picture.name).stem for picture in pictures if picture.dataset == "fetal_planes"}
    out = {}
    for name, file, keep in (
        ("planes", "fetalclip_planes_predictions.json", lambda row: row["Plane"] != "Other"),
        ("sections", "fetalclip_subplanes_predictions.json", lambda row: row["Brain_plane"].startswith("Trans")),
    ):
        saved = json.loads((data / file).read_text())
        rows = [row["Image_name"] for row in table if keep(row)]
        if len(rows) != len(saved["label"]):
            continue
        chosen = [index for index, row in enumerate(rows) if row in wanted]
        truth, told = (np.array(saved[key])[chosen] for key in ("label", "prediction"))
        out[f"{name}_f1"], out[f"{name}_accuracy"] = macro_f1(truth, told), float((truth == told).mean())
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds fetal_planes, fugc, hc18 and video/lung")
    parser.add_argument("--weights", type=Path, required=True, help="folder with fold0.safetensors and so on")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    known = [picture for picture in all_pictures(args.data) if picture.dataset != "hc18"]
    judged: list[RealPicture] = []
    tables, sections, planes = [], [], ()
    for fold, pipeline in pipelines_of_folds(args.weights):
        own = [picture for picture in known if picture.fold == fold]
        table, section = probabilities(pipeline, own)
        judged += own
        tables.append(table)
        sections.append(np.array(pipeline.model_info.subplanes)[section])
        planes = pipeline.model_info.planes
    found = figures(judged, np.concatenate(tables), planes, np.concatenate(sections))
    print(json.dumps({"folds": len(tables), **found, "fetalclip_published": published_answers(args.data, judged)}))


if __name__ == "__main__":
    main()
