"""``fetalstream models``: what there is, getting it, and checking it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fetalstream.tui.commands.columns import columns

if TYPE_CHECKING:
    from fetalstream.pipeline.model.loading import ModelStatus


def show_list() -> None:
    """All models, a line each.

    Raises:
        ConfigError: a model file cannot be read.
    """
    from fetalstream.pipeline.model.loading import list_models

    rows = [("MODEL", "WEIGHTS", "CALIBRATED", "LICENCE", "WHAT IT IS")]
    rows += [_row(status) for status in list_models()]
    print("\n".join(columns(rows)))


def pull(name: str) -> None:
    """Downloads what is not here, and checks it.

    Raises:
        ConfigError, ModelError: no such model, no network, or not what it should be.
    """
    from fetalstream.pipeline.model.loading import pull as fetch

    status = fetch(name, _say)
    print(f"{status.name}: {status.path}")
    print(f"licence: {status.licence}")


def verify(names: Sequence[str]) -> bool:
    """Checks the named models, or all that are here; a line each. Returns whether all are well.

    Raises:
        ConfigError: no such model, or a model file that cannot be read.
    """
    from fetalstream.pipeline.errors import ModelError
    from fetalstream.pipeline.model.loading import list_models
    from fetalstream.pipeline.model.loading import verify as check

    well = True
    for name in names or [status.name for status in list_models() if status.path is not None]:
        try:
            found = check(name, _say)
        except ModelError as error:
            print(f"{name}: {error}")
            well = False
        else:
            pinned = "pinned by its model file" if found.pinned else "recorded at first sight"
            print(
                f"{name}: well; {found.tensors} tensors, {found.parameters / 1e6:.1f} million numbers, "
                f"SHA-256 {found.sha256[:12]}… ({pinned})"
            )
    return well


def _row(status: ModelStatus) -> tuple[str, ...]:
    if status.path is not None:
        weights = "here"
    elif status.weights.startswith("bundled"):
        weights = "missing: install fetalstream again"
    else:
        weights = f"fetalstream models pull {status.name}"
    return (status.name, weights, "yes" if status.calibrated_on else "no", status.licence, status.description)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
