"""Text banks hold the text vectors of planes and ages: computed outside the frame loop, and kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.model import openclip
from fetalstream.pipeline.model.loading import LoadedModel
from fetalstream.pipeline.model.prompts import Prompts, gestation_sentence
from fetalstream.pipeline.model.text_prefix import SharedPrefixes, first_difference
from fetalstream.pipeline.readout.gestation import GRID_DAYS

Vectors = npt.NDArray[np.float32]
"""One vector (D,), or one a row (N, D)."""

GestationBank = Vectors
"""(175, D): a mean text vector for every day of ``GRID_DAYS``, at one spacing."""

VERSION: Final = 1  # of the files on disk; to be raised when banks are built differently
_SENTENCES_AT_ONCE: Final = 64
_PROBES_MM: Final = (0.88, 0.99, 8.88, 9.99)  # every spacing differs from two of them in its first digit or decimal
_BANKS_IN_MEMORY: Final = 64  # 0.5 MB each for FetalCLIP


class BuildCancelled(Exception):
    """A bank was not built, because its builder was told that it is not needed any more."""


class TextBanks:
    """Text features of one model and one set of prompts. Safe to use from several threads.

    Attributes:
        plane_labels: (P,) names, in the order of the prompts.
        planes: (P, D) unit vectors: each sentence normalised, averaged over the plane's, normalised again.
        subplane_labels: (S,) names, in the order of the prompts.
        subplanes: (S, D) unit vectors made as those of ``planes``; no rows if the prompts have no subplanes.
        other: (D,) unit vector of pictures that show no plane; None if the prompts have no sentences about them.
    """

    def __init__(self, model: LoadedModel, prompts: Prompts, cache_dir: Path | None) -> None:
        self._model = model
        self._prompts = prompts
        self._cache_dir = cache_dir
        self._building = threading.Lock()
        self._gestation: OrderedDict[str, GestationBank] = OrderedDict()
        self._shared: dict[str, SharedPrefixes] = {}
        self.plane_labels = tuple(prompts.planes)
        self.subplane_labels = tuple(prompts.subplanes)
        groups = [*prompts.planes.values(), *prompts.subplanes.values(), *([prompts.other] if prompts.other else [])]
        key = self._key("planes")
        labels = self._stored(key, len(groups))
        if labels is None:
            labels = self._labels(groups)
            self._store(key, labels)
        split = len(self.plane_labels)
        self.planes: Vectors = labels[:split]
        self.subplanes: Vectors = labels[split : split + len(self.subplane_labels)]
        self.other: Vectors | None = labels[-1] if prompts.other else None

    @property
    def has_gestation(self) -> bool:
        """True if the prompts have sentences about age."""
        return bool(self._prompts.gestation)

    def sentence(self, text: str) -> Vectors:
        """Encode any sentence with the text tower: a unit vector (D,)."""
        return self._unit([text])[0]

    def gestation(self, spacing_mm: float, is_cancelled: Callable[[], bool] = lambda: False) -> GestationBank:
        """Return the bank of a spacing, (175, D) float32, read-only, and build it if necessary.

        The mean over the templates' unit vectors is *not* normalised, so that a dot product with it is the mean of
        the dot products.

        Args:
            spacing_mm: mm per pixel of the model's input, rounded to two decimals as the sentences say it.
            is_cancelled: called between templates while a bank is built; True ends the work.

        Raises:
            ModelError: the prompts have no sentences about age.
            BuildCancelled: ``is_cancelled`` returned True; the next call begins anew.
        """
        if not self.has_gestation:
            raise ModelError("these prompts have no gestation.json: ages cannot be read with them")
        name = f"{spacing_mm:.2f}"
        with self._building:
            bank = self._gestation.get(name)
            if bank is None:
                bank = self._found_or_built(name, spacing_mm, is_cancelled)
                self._gestation[name] = bank
                if len(self._gestation) > _BANKS_IN_MEMORY:
                    self._gestation.popitem(last=False)
            self._gestation.move_to_end(name)
            return bank

    def _found_or_built(self, name: str, spacing_mm: float, is_cancelled: Callable[[], bool]) -> GestationBank:
        key = self._key(f"gestation {name}")
        bank = self._stored(key, len(GRID_DAYS))
        if bank is None:
            templates: list[Vectors] = []
            for template in self._prompts.gestation:
                if is_cancelled():
                    raise BuildCancelled
                templates.append(self._days(template, spacing_mm))
            # Rounded before the first use too, so that a bank from disk gives the same results.
            bank = np.mean(templates, axis=0).astype(np.float16).astype(np.float32)
            self._store(key, bank.astype(np.float16))
        bank.flags.writeable = False
        return bank

    def _days(self, template: str, spacing_mm: float) -> Vectors:
        sentences = [gestation_sentence(template, int(day), spacing_mm) for day in GRID_DAYS]
        if not SharedPrefixes.supports(self._model.clip):
            return self._unit(sentences)
        with torch.inference_mode():
            tokens = self._model.tokenizer(sentences)
            if len(set(tokens.argmax(dim=-1).tolist())) > 1:  # not equally long: the template writes numbers out
                return self._unit(sentences)
            shared = self._shared.setdefault(template, SharedPrefixes(self._model.clip))
            features = shared.encode(tokens, self._spacing_columns(template, tokens[0]))
            return torch.nn.functional.normalize(features, dim=-1).cpu().numpy()

    def _spacing_columns(self, template: str, tokens: torch.Tensor) -> set[int]:
        """Return the columns where sentences at another spacing may begin to differ: its first digit, or a decimal."""
        others = self._model.tokenizer([gestation_sentence(template, int(GRID_DAYS[0]), mm) for mm in _PROBES_MM])
        return {column for other in others if (column := first_difference(tokens, other)) is not None}

    def _labels(self, groups: list[tuple[str, ...]]) -> Vectors:
        vectors = self._unit([sentence for group in groups for sentence in group])
        ends = np.cumsum([len(group) for group in groups])
        means = np.stack([part.mean(axis=0) for part in np.split(vectors, ends[:-1])])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def _unit(self, sentences: list[str]) -> Vectors:
        """Encode sentences as unit vectors (N, D)."""
        device = self._model.device
        parts: list[torch.Tensor] = []
        with torch.inference_mode():
            for start in range(0, len(sentences), _SENTENCES_AT_ONCE):
                tokens = self._model.tokenizer(sentences[start : start + _SENTENCES_AT_ONCE]).to(device)
                features = openclip.encode_text(self._model.clip, tokens)
                parts.append(torch.nn.functional.normalize(features, dim=-1).cpu())
        return torch.cat(parts).numpy()

    def _key(self, what: str) -> str:
        model = self._model
        parts = [VERSION, model.weights_sha256, model.config.architecture, self._prompts.sha256, what]
        return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]

    def _stored(self, key: str, rows: int) -> Vectors | None:
        """Read a bank from disk; None if there is none or the file is damaged (the bank is then built again)."""
        if self._cache_dir is None:
            return None
        try:
            # Opened here, because numpy leaves a file that it cannot read open.
            with (self._cache_dir / f"{key}.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                bank = np.asarray(arrays["bank"], dtype=np.float32)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return bank if bank.ndim == 2 and len(bank) == rows and bool(np.isfinite(bank).all()) else None

    def _store(self, key: str, bank: npt.NDArray[np.floating]) -> None:
        """Write a bank whole or not at all; a failure only costs time at the next start, and is ignored."""
        if self._cache_dir is None:
            return
        with contextlib.suppress(OSError):
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._cache_dir, suffix=".part")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.savez(file, bank=bank)
                Path(name).replace(self._cache_dir / f"{key}.npz")
            finally:
                Path(name).unlink(missing_ok=True)
