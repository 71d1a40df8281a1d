"""What a machine can see of names and docstrings: one meaning a name, and first sentences that say something."""

import ast
import collections
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("streamer", "pipeline", "tui")
TREES = {
    path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"))
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

# "On the screen.", "Of the newest frame.", "Where the sentences lie.": a reader cannot tell what the thing is or does.
RIDDLE = re.compile(
    r"(Of|For|By|From|In|On|At|Until|As|With|To|What|How|Whether|Where|When|Who|Whose|Which|Likewise|See)\b"
)
LEAST_WORDS = 4
SUFFIXES = ("s", "es", "d", "ed", "er", "or", "ing")


def first_sentence(docstring: str) -> str:
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<=[.;?])\s", paragraph)[0]


def public_docstrings() -> Iterator[tuple[str, str]]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, DOCUMENTED) and (docstring := ast.get_docstring(node)):
                name = getattr(node, "name", "")
                if not name.startswith("_") or name.startswith("__"):
                    yield f"{path}:{getattr(node, 'lineno', 1)} {name}", first_sentence(docstring)


def test_the_first_sentence_of_a_docstring_says_what_the_thing_is_or_does() -> None:
    sentences = list(public_docstrings())
    assert len(sentences) > 1000
    assert [each for each in sentences if RIDDLE.match(each[1]) or len(each[1].split()) < LEAST_WORDS] == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_public_class_is_defined_twice_in_a_room(room: str) -> None:
    defined = collections.Counter(
        node.name
        for path, tree in TREES.items()
        if path.parts[0] == room
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, times in defined.items() if times > 1] == []


@pytest.mark.parametrize("room", ROOMS)
def test_no_two_modules_of_a_package_differ_by_an_ending_only(room: str) -> None:
    packages: dict[Path, set[str]] = {}
    for path in TREES:
        if path.parts[0] == room:
            packages.setdefault(path.parent, set()).add(path.stem)
    alike = [
        (package, stem, stem.rstrip("e") + suffix)
        for package, stems in packages.items()
        for stem in stems
        for suffix in SUFFIXES
        if stem.rstrip("e") + suffix in stems - {stem}
    ]
    assert alike == []
