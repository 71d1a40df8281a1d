"""Ask and search are evaluated on the phantom's evaluation seeds: does each plane's sentence find that plane first?

Every frame of a scan is scored against a sentence as `ask` does it live and `search` afterwards, and the frames are
ranked: mean average precision over the planes that a scan shows, and how often the best frame shows the plane.

Run: ``python -m benchmarks.searching --kept-in scores``. One JSON line comes last.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fetalstream.pipeline.bus.question_encoding import asker_of
from fetalstream.pipeline.evaluation.phantom_scores import phantom_scores_of
from fetalstream.pipeline.evaluation.searching import SENTENCES, search_metrics
from fetalstream.pipeline.loaded_pipeline import load_pipeline


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs=2, default=(100, 119), help="first and last")
    parser.add_argument("--kept-in", type=Path, default=None)
    args = parser.parse_args()
    pipeline = load_pipeline()
    ask = asker_of(pipeline)
    scans = {
        seed: phantom_scores_of(seed, 60.0, pipeline.encoder, args.kept_in)
        for seed in range(args.seeds[0], args.seeds[1] + 1)
    }
    asked = {text: ask(text) for text in SENTENCES.values()}
    metrics = {name: metric.to_dict() for name, metric in search_metrics(scans, asked.__getitem__).items()}
    print(
        json.dumps({"benchmark": "searching", "model": pipeline.model_info.name, "seeds": list(args.seeds), **metrics})
    )


if __name__ == "__main__":
    main()
