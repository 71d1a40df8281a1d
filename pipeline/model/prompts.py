"""Prompts are the sentences that define planes, subplanes and ages; the user may replace their folder."""

from __future__ import annotations

import hashlib
import importlib.resources
import string
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from fetalstream.pipeline.errors import ConfigError

DAYS_PER_WEEK = 7
MOST_SENTENCES = 10_000
"""A folder with more is refused: encoding takes minutes, and classes do not get better by it."""

_OTHER = "other"  # the label of frames that show none of the planes


@dataclass(frozen=True)
class Prompts:
    """Sentences by label, in the order of the files.

    Attributes:
        planes: at least one sentence for each standard plane.
        subplanes: sentences for the subplanes of the brain; empty if the folder has none.
        other: sentences about pictures that show no standard plane; empty if the folder has none.
        gestation: templates with ``{weeks}``, ``{days}`` and ``{spacing}``; empty if the folder has none.
        sha256: hex digest of the sentences with their labels (white space in the files does not count).
    """

    planes: dict[str, tuple[str, ...]]
    subplanes: dict[str, tuple[str, ...]]
    other: tuple[str, ...]
    gestation: tuple[str, ...]
    sha256: str


def load_prompts(folder: str | Path) -> Prompts:
    """Read ``planes.json`` and, if they exist, ``subplanes.json``, ``other.json`` and ``gestation.json``.

    The first three are JSON ``{label: [sentence, ...]}``, the last is ``{"templates": [...]}``.

    Args:
        folder: a folder, or the name of a packaged set (``fetal``).

    Raises:
        ConfigError: there is no such folder, a file has another format, a template lacks one of its three fields, a
            plane is called "other", or there are more than ``MOST_SENTENCES`` sentences.
    """
    root = _find(folder)
    planes = _sentences(root, "planes.json")
    if not planes:
        raise ConfigError(f"prompts folder {str(folder)!r} has no planes.json with at least one plane")
    subplanes = _sentences(root, "subplanes.json")
    if _OTHER in planes or _OTHER in subplanes:
        raise ConfigError(f"prompts folder {str(folder)!r}: {_OTHER!r} stands for no plane, call that plane otherwise")
    other = _one(root, "other.json", "other")
    gestation = _one(root, "gestation.json", "templates")
    for template in gestation:
        _check_template(template)
    count = sum(map(len, [*planes.values(), *subplanes.values(), other, gestation]))
    if count > MOST_SENTENCES:
        raise ConfigError(f"prompts folder {str(folder)!r} has {count} sentences: give {MOST_SENTENCES} at most")
    plain = msgspec.json.encode([list(planes.items()), list(subplanes.items()), other, gestation])
    return Prompts(planes, subplanes, other, gestation, hashlib.sha256(plain).hexdigest())


def gestation_sentence(template: str, days: int, spacing_mm: float) -> str:
    """Fill a template with an age in days and the spacing of the model's input in mm per pixel (two decimals)."""
    weeks, rest = divmod(int(days), DAYS_PER_WEEK)
    return template.format(weeks=weeks, days=rest, spacing=f"{spacing_mm:.2f}")


def _find(folder: str | Path) -> Traversable:
    path = Path(folder)
    if path.is_dir():
        return path
    if path.name == str(folder):
        packaged = importlib.resources.files("fetalstream.prompts") / path.name
        if packaged.is_dir():
            return packaged
    raise ConfigError(f"prompts folder {str(folder)!r} does not exist: give a folder that holds planes.json")


def _sentences(root: Traversable, name: str) -> dict[str, tuple[str, ...]]:
    file = root / name
    if not file.is_file():
        return {}
    try:
        read = msgspec.json.decode(file.read_bytes(), type=dict[str, tuple[str, ...]])
    except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"prompts file {file} cannot be read: {str(error).splitlines()[0]}") from error
    for label, sentences in read.items():
        if not sentences or not all(sentence.strip() for sentence in sentences):
            raise ConfigError(f"prompts file {file}: {label!r} needs at least one sentence and no empty one")
    return read


def _one(root: Traversable, name: str, key: str) -> tuple[str, ...]:
    read = _sentences(root, name)
    if read and set(read) != {key}:
        raise ConfigError(f"prompts file {root / name} must have the one key {key!r}, has {', '.join(sorted(read))}")
    return read.get(key, ())


def _check_template(template: str) -> None:
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
        template.format(weeks=20, days=3, spacing="0.50")
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise ConfigError(f"gestation template {template!r} has a field other than weeks, days, spacing") from error
    missing = {"weeks", "days", "spacing"} - fields
    if missing:
        raise ConfigError(f"gestation template {template!r} lacks {{{'}, {'.join(sorted(missing))}}}")
