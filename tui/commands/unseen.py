"""Pictures that a bundled model was trained on are left out of what it is judged on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from fetalstream.tui.commands.progress import say

if TYPE_CHECKING:
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline

Picture = TypeVar("Picture")


class Judged(NamedTuple, Generic[Picture]):
    """The pictures that a model is judged on.

    Attributes:
        pictures: in their order.
        left_out: how many were left out since the model was trained on them.
        trained_on: how many of ``pictures`` it was trained on: all, if nothing else was left, or none.
    """

    pictures: Sequence[Picture]
    left_out: int
    trained_on: int


def judged_by(
    ready: LoadedPipeline, pictures: Sequence[Picture], path_of: Callable[[Picture], Path]
) -> Judged[Picture]:
    """Leave out what a bundled model was trained on, and say how many and why; other models are judged on everything.

    If it was trained on all of them, they are judged all the same, and it is said that this measures nothing new.

    Raises:
        ConfigError: a picture cannot be read.
    """
    from fetalstream.pipeline.evaluation.seen_pictures import seen_by

    bundled = ready.model.config.weights.bundled if ready.model.weights_from == "bundled" else None
    if bundled is None:
        return Judged(pictures, 0, 0)
    seen = seen_by(bundled)
    kept = [picture for picture in pictures if not seen.holds(path_of(picture))]
    name, count = ready.model_info.name, len(pictures) - len(kept)
    if pictures and not kept:
        say(f"{name} was trained on all {count} pictures: these figures say nothing about new ones")
        return Judged(pictures, 0, count)
    say(f"left out {count} of {len(pictures)} pictures: {name} was trained on them")
    return Judged(kept, count, 0)
