"""``fetalstream eval hc18`` and ``eval gestation-scores``: gestational ages of real heads, read now or saved before."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands.eval_output import SAVED, print_metrics
from fetalstream.tui.commands.eval_planes import data_options
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import Progress, say
from fetalstream.tui.commands.unseen import judged_by
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings

if TYPE_CHECKING:
    from fetalstream.pipeline.evaluation.ages import AgeRows


def add(tasks: parts.Commands) -> None:
    """Declare the options and help of both tasks."""
    hc18 = parts.add_command(tasks, "hc18", "gestational age on HC18")
    data_options(hc18)
    parts.json_option(hc18)
    parts.model_options(hc18)
    hc18.set_defaults(run_task=run_hc18)
    scores = parts.add_command(tasks, "gestation-scores", "saved dot products of ages, as FetalCLIP publishes them")
    scores.add_argument("file", type=Path, metavar="FILE")
    scores.add_argument("--sizes", type=Path, metavar="CSV", required=True, help="HC18's table, in the same order")
    parts.json_option(scores)
    scores.set_defaults(run_task=run_gestation_scores)


def run_hc18(options: argparse.Namespace) -> int:
    """Judge a model on HC18.

    Raises:
        ConfigError, ModelError: see `eval_hc18`.
    """
    settings = chosen_model(options, ModelSettings())
    eval_hc18(options.data, settings, predictions=options.predictions, as_json=options.json)
    return DONE


def run_gestation_scores(options: argparse.Namespace) -> int:
    """Judge saved dot products.

    Raises:
        ConfigError: see `eval_gestation_scores`.
    """
    eval_gestation_scores(options.file, options.sizes, as_json=options.json)
    return DONE


def eval_hc18(data: Path, model: ModelSettings, *, predictions: Path | None, as_json: bool) -> None:
    """``eval hc18``: ages of real heads; a bundled model is judged on those that it was not trained on.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    from fetalstream.pipeline.evaluation.ages import age_metrics, half_widths_of, readouts
    from fetalstream.pipeline.evaluation.hc18 import age_rows, read_heads
    from fetalstream.pipeline.readout.gestation import HALF_WIDTHS

    ready = load(model, say)
    judged = judged_by(ready, read_heads(data), lambda head: head.path)
    heads = judged.pictures
    with Progress("eval hc18", len(heads)) as progress:
        rows = age_rows(ready, heads, progress.step)
    _, masked, _ = readouts(rows)
    half_widths = half_widths_of(masked.tolist(), ready.model_info.half_widths or HALF_WIDTHS)
    if predictions is not None:
        _write_ages(predictions, rows)
    print_metrics(
        "hc18", ready.model_info.name, len(heads), age_metrics(rows, half_widths), as_json=as_json, judged=judged
    )


def eval_gestation_scores(file: Path, sizes: Path, *, as_json: bool) -> None:
    """``eval gestation-scores``: saved dot products, in the order of HC18's table.

    Raises:
        ConfigError, ModelError: one line that says what to do.
    """
    import numpy as np

    from fetalstream.pipeline.errors import ConfigError
    from fetalstream.pipeline.evaluation.ages import HC18_FRAME, AgeRows, age_metrics, read_sizes
    from fetalstream.pipeline.evaluation.scores_file import load_scores

    scores = load_scores(file)
    files, width_mm = read_sizes(sizes)
    if len(files) != len(scores.rows):
        raise ConfigError(
            f"{sizes} has {len(files)} rows, {file} has {len(scores.rows)}: they belong together by order"
        )
    width, height = HC18_FRAME
    rows = AgeRows(scores.rows, tuple(files), scores.hc_mm, width_mm, np.full(len(files), height / width))
    print_metrics("gestation-scores", SAVED, len(files), age_metrics(rows), as_json=as_json)


def _write_ages(path: Path, rows: AgeRows) -> None:
    from fetalstream.pipeline.evaluation.ages import readouts

    plain, masked, spans = readouts(rows)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["file", "hc_mm", "day", "day_masked", "span_days"])
        writer.writerows(
            zip(rows.files, rows.hc_mm.tolist(), plain.tolist(), masked.tolist(), spans.tolist(), strict=True)
        )
