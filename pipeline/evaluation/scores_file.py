"""Read saved gestational-age scores, so that a readout can be judged without a model.

The format is the one that FetalCLIP publishes: a list with one dict an image, ``true_hc`` (mm) and ``text_dot_prods``
(1, 175), 100 · image · text averaged over the sentence templates.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.readout.gestation import GRID_DAYS


@dataclass(frozen=True, eq=False)
class SavedScores:
    """Age scores of N images, in the file's order: ``rows`` (N, 175) float32 and head circumferences ``hc_mm`` (N,)."""

    rows: npt.NDArray[np.float32]
    hc_mm: npt.NDArray[np.float64]


def load_scores(path: Path) -> SavedScores:
    """Load scores that ``torch.save`` wrote; nothing in the file is executed.

    Raises:
        ModelError: the file is absent, has another format, or holds anything but numbers.
    """
    # The least that numpy arrays need to be rebuilt: the file is a pickle from outside.
    rebuild: Any = np._core.multiarray._reconstruct  # type: ignore[attr-defined]
    allowed: list[Any] = [
        rebuild,
        (rebuild, "numpy.core.multiarray._reconstruct"),  # its name before numpy 2, which the published file uses
        np.ndarray,
        np.dtype,
        type(np.dtype(np.float32)),
        type(np.dtype(np.float64)),
    ]
    try:
        with torch.serialization.safe_globals(allowed):
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
        items = cast("list[dict[str, Any]]", loaded)
        rows = np.stack([np.asarray(item["text_dot_prods"], dtype=np.float32).reshape(-1) for item in items])
        hc_mm = np.array([float(item["true_hc"]) for item in items])
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); name a file of saved scores") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError, ValueError):
        raise ModelError(f"{path}: not a file of saved scores; wanted a list of true_hc and text_dot_prods") from None
    if rows.shape[1] != GRID_DAYS.size:
        raise ModelError(f"{path}: {rows.shape[1]} scores an image, wanted {GRID_DAYS.size}, one a day of the grid")
    return SavedScores(rows, hc_mm)
