"""The output of all ``fetalstream eval`` tasks: metrics with their intervals, for people or as one JSON line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fetalstream.pipeline.evaluation.metrics import Metric
    from fetalstream.tui.commands.unseen import Judged

SAVED: Final = "saved"
"""Stands for the model if a file of scores or predictions is read: which model made it is not known."""


def print_metrics(
    task: str, model: str, count: int, metrics: Mapping[str, Metric], *, as_json: bool,
    table: Mapping[str, Mapping[str, int]] | None = None, what: str = "pictures", over: str = "patients or exams",
    judged: Judged[Any] | None = None,
) -> None:  # fmt: skip
    """Print the metrics of one task, for people or as one JSON line.

    Args:
        task: its name, the key of published figures.
        model: the model's name, or ``SAVED``.
        count: how many cases were judged.
        metrics: by name; names that end in a unit are printed with it.
        as_json: one JSON line, without the table.
        table: how often each true label was called what; None to leave it out.
        what: what the cases are, in the plural.
        over: what the intervals are resampled over.
        judged: which pictures were left out because the model was trained on them; None if that is not known.
    """
    if as_json:
        plain = {name: metric.to_dict() for name, metric in metrics.items()}
        training = {} if judged is None else {"left_out": judged.left_out, "trained_on": judged.trained_on}
        print(json.dumps({"task": task, "model": model, "n": count, **training, "metrics": plain}, allow_nan=False))
        return
    from fetalstream.pipeline.evaluation.published import HEADLINE, PUBLISHED
    from fetalstream.pipeline.wire import NOTICE

    print(f"{task}: {model}, {count} {what}, 95% intervals over {over}")
    if judged is not None and judged.trained_on:
        print(f"  {model} was trained on these pictures: the figures say nothing about new ones")
    for name, metric in metrics.items():
        published = PUBLISHED.get(task, {}).get(model) if HEADLINE.get(task) == name else None
        comparison = "" if published is None else f"   published {published:.2f}%"
        print(f"  {name:<32}{_value(name, metric)}{comparison}")
    for truth, row in (table or {}).items():
        predicted = ", ".join(f"{label} {number}" for label, number in sorted(row.items(), key=lambda each: -each[1]))
        print(f"  {truth:<32}told as {predicted}")
    print(NOTICE)


_UNITS = {"_days": " days", "_seconds": " s", "_per_minute": " a minute", "_regret": ""}


def _value(name: str, metric: Metric) -> str:
    if metric.value is None:
        return "nothing to judge"
    low, high = metric.low, metric.high
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), None)
    if unit is not None:
        return f"{metric.value:.2f}{unit}" + ("" if low is None else f" ({low:.2f} to {high:.2f})")
    return f"{metric.value:.2%}" + ("" if low is None or high is None else f" ({low:.2%} to {high:.2%})")
