"""Five folds over subjects: whoever is judged was not trained on, in any data set that shows them.

``subjects.csv`` lists every subject of the real pictures with a fold. A subject is a patient of FETAL_PLANES_DB
(numbers that share pictures are one patient, and FOCUS shows patients of FETAL_PLANES_DB), a picture of FUGC, a person
of the lung clips, or an exam of HC18. HC18's validation exams are in no fold: nothing is ever trained on them.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
from typing import Final

FOLDS: Final = 5
NEVER: Final = -1
"""The fold of subjects that no training may read."""


class ReservedSubjectError(ValueError):
    """A training was about to read a picture of a subject that it must not see."""


@functools.cache
def _table() -> dict[tuple[str, str], int]:
    file = importlib.resources.files("fetalstream.pipeline.training") / "subjects.csv"
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return {(row["dataset"], row["subject"]): int(row["fold"]) for row in rows}


def fold_of(dataset: str, subject: str) -> int:
    """Return the fold of a subject, 0 to 4, or ``NEVER``.

    Raises:
        ReservedSubjectError: the subject is not listed, so nobody knows whether it may be trained on.
    """
    try:
        return _table()[dataset, subject]
    except KeyError:
        raise ReservedSubjectError(f"{dataset}: subject {subject} is not in subjects.csv; add it with a fold") from None


def refuse_reserved(dataset: str, subject: str, held_out: int | None) -> None:
    """Raise if a training that leaves out fold ``held_out`` may not read this subject.

    Raises:
        ReservedSubjectError: the subject is of that fold, or of none, or not listed.
    """
    fold = fold_of(dataset, subject)
    if fold in (NEVER, held_out):
        raise ReservedSubjectError(f"{dataset}: subject {subject} is kept for validation and must not be trained on")
