from collections.abc import Sequence
from typing import Any

import pytest

from fetalstream.tui import cli
from fetalstream.tui.commands import eval_phantom as module


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    tasks: list[tuple[str, list[int]]] = []

    def scans(seeds: Sequence[int], seconds: float, *_: Any, **__: Any) -> None:
        tasks.append((f"scans of {seconds:g} s", list(seeds)))

    def exams(seeds: Sequence[int], *_: Any, **__: Any) -> None:
        tasks.append(("exams", list(seeds)))

    monkeypatch.setattr(module, "eval_scans", scans)
    monkeypatch.setattr(module, "eval_exams", exams)
    return tasks


@pytest.mark.parametrize(
    ("argv", "task", "first", "count"),
    [
        ([], "scans of 60 s", 100, 20),
        (["--seconds", "5", "--seeds", "3-4"], "scans of 5 s", 3, 2),
        (["--exams"], "exams", 2000, 240),
        (["--exams", "--seeds", "7"], "exams", 7, 1),
    ],
)
def test_each_task_has_seeds_of_its_own(
    argv: list[str], task: str, first: int, count: int, judged: list[tuple[str, list[int]]]
) -> None:
    assert cli.main(["eval", "phantom", *argv]) == 0
    assert judged == [(task, list(range(first, first + count)))]
