"""Planes and ages of real heads are measured on clips made from HC18's validation exams, by ``fetalstream analyze``.

The exams are those that no bundled model was trained on (``pipeline/training/subjects.csv``). The motion is
simulated: each still is panned and turned a little for a second; three clips hold the small, middle and large heads,
each at one spacing, as three depth settings would show them. HC18 holds no true ages, so an age counts as right if the
still's known head circumference lies within the WHO band (2.5th to 97.5th percentile) at that age; the age of a still
is the median of its frames' own ages, since the clip is not one patient.

Run: ``python benchmarks/hc18_clips.py --data ../shared/data/hc18 --out clips``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np

from fetalstream.pipeline.evaluation.hc18 import Head, read_heads
from fetalstream.pipeline.training.folds import NEVER, fold_of
from fetalstream.streamer.growth import who_hc_mm

WIDTH, HEIGHT, RATE = 640, 480, 30
FRAMES = 30  # a still
# Head circumference from and to, mm, and the spacing, mm per pixel, that shows such heads at a usual size.
GROUPS = ((100.0, 150.0, 0.15), (150.0, 230.0, 0.23), (230.0, 342.0, 0.33))


def frames_of(row: Head, spacing_mm: float) -> list[np.ndarray]:
    """Draw the still at ``spacing_mm``, drifting by a few pixels and degrees: frames uint8 ``(480, 640)``."""
    pixels = cv2.imread(str(row.path), cv2.IMREAD_GRAYSCALE)
    scale = row.spacing_mm / spacing_mm
    height, width = pixels.shape
    out = []
    for index in range(FRAMES):
        phase = 2 * math.pi * index / FRAMES
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 3 * math.sin(phase), scale)
        matrix[0, 2] += WIDTH / 2 - width / 2 + 14 * math.sin(phase)
        matrix[1, 2] += HEIGHT / 2 - height / 2 + 9 * math.cos(phase)
        out.append(cv2.warpAffine(pixels, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR))
    return out


def write_clip(path: Path, rows: list[Head], spacing_mm: float) -> None:
    """Write the stills one after another into one H.264 file."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"crf": "14", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for row in rows:
            for pixels in frames_of(row, spacing_mm):
                out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray").reformat(format="yuv420p")))
        out.mux(stream.encode())


def readings_of(clip: Path, spacing_mm: float, session: Path) -> list[dict]:
    """Run ``fetalstream analyze`` and return its reading of every frame."""
    command = [sys.executable, "-m", "fetalstream.tui.cli", "analyze", str(clip), "--out", str(session), "--jsonl", "-"]
    done = subprocess.run([*command, "--spacing", str(spacing_mm)], stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with labels.csv and images/")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the clips and sessions")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    validation = read_heads(args.data, lambda exam: fold_of("hc18", exam) == NEVER)
    frames = brains = stills = within = dated = 0
    errors: list[float] = []
    for low, high, spacing_mm in GROUPS:
        rows = [row for row in validation if low <= row.hc_mm < high]
        clip = args.out / f"hc_{low:.0f}_{high:.0f}.mp4"
        write_clip(clip, rows, spacing_mm)
        readings = readings_of(clip, spacing_mm, args.out / "sessions")
        frames += len(readings)
        brains += sum(reading["plane"] == "brain" for reading in readings)
        for number, row in enumerate(rows):
            own = readings[number * FRAMES : (number + 1) * FRAMES]
            days = [r["gestation"]["frame_days"] for r in own if r["gestation"] and r["gestation"]["frame_days"]]
            stills += 1
            if days:
                dated += 1
                weeks = statistics.median(days) / 7
                within += who_hc_mm(weeks, 2.5) <= row.hc_mm <= who_hc_mm(weeks, 97.5)
                errors.append(abs(row.hc_mm / who_hc_mm(weeks) - 1))
    print(
        json.dumps({
            "frames": frames, "brain_share": brains / frames, "stills": stills, "dated": dated,
            "in_who_band": within / stills, "median_head_size_error": statistics.median(errors) if errors else None,
        })
    )  # fmt: skip


if __name__ == "__main__":
    main()
