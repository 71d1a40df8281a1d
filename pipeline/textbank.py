"""What the sentences look like to the model: text features of planes and ages, built off the hot path, kept on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from pipeline import openclip
from pipeline.errors import ModelError
from pipeline.gestation import GRID_DAYS
from pipeline.models import LoadedModel
from pipeline.prompts import Prompts, gestation_sentence

Bank = npt.NDArray[np.float32]

VERSION: Final = 1  # of the files on disk; grows when the way that banks are built changes
_SENTENCES_AT_ONCE: Final = 64
_BANKS_IN_MEMORY: Final = 64  # 0.5 MB each for FetalCLIP


class TextBanks:
    """Text features of one model and one set of prompts. Safe to use from several threads.

    Attributes:
        plane_labels: (P,) names, in the order of the prompts.
        planes: (P, D) unit vectors: each sentence normalised, averaged over the plane's, normalised again.
        subplane_labels: (S,) names; ``subplanes`` (S, D) likewise, with no rows where the prompts have none.
        other: (D,) unit vector of pictures that show no plane, or None where the prompts have none.
    """

    def __init__(self, model: LoadedModel, prompts: Prompts, cache_dir: Path | None) -> None:
        self._model = model
        self._prompts = prompts
        self._cache_dir = cache_dir
        self._building = threading.Lock()
        self._gestation: OrderedDict[str, Bank] = OrderedDict()
        self.plane_labels = tuple(prompts.planes)
        self.subplane_labels = tuple(prompts.subplanes)
        groups = [*prompts.planes.values(), *prompts.subplanes.values(), *([prompts.other] if prompts.other else [])]
        key = self._key("planes")
        labels = self._stored(key, len(groups))
        if labels is None:
            labels = self._labels(groups)
            self._store(key, labels)
        split = len(self.plane_labels)
        self.planes: Bank = labels[:split]
        self.subplanes: Bank = labels[split : split + len(self.subplane_labels)]
        self.other: Bank | None = labels[-1] if prompts.other else None

    @property
    def can_date(self) -> bool:
        """Whether the prompts have sentences about age."""
        return bool(self._prompts.gestation)

    def gestation(self, spacing_mm: float) -> Bank:
        """A mean text vector for every day of ``GRID_DAYS``: (175, D) float32, read-only; builds it where need be.

        The mean over the templates' unit vectors is *not* normalised: so a dot product with it is the mean of the
        dot products.

        Args:
            spacing_mm: of the model's input, mm per pixel; counts to two decimals, as the sentences say it.

        Raises:
            ModelError: the prompts have no sentences about age.
        """
        if not self.can_date:
            raise ModelError("these prompts have no gestation.json: ages cannot be read with them")
        name = f"{spacing_mm:.2f}"
        with self._building:
            bank = self._gestation.get(name)
            if bank is None:
                bank = self._found_or_built(name, spacing_mm)
                self._gestation[name] = bank
                if len(self._gestation) > _BANKS_IN_MEMORY:
                    self._gestation.popitem(last=False)
            self._gestation.move_to_end(name)
            return bank

    def _found_or_built(self, name: str, spacing_mm: float) -> Bank:
        key = self._key(f"gestation {name}")
        bank = self._stored(key, len(GRID_DAYS))
        if bank is None:
            templates = [self._days(template, spacing_mm) for template in self._prompts.gestation]
            # Rounded before the first use too: answers do not change once the bank comes from disk.
            bank = np.mean(templates, axis=0).astype(np.float16).astype(np.float32)
            self._store(key, bank.astype(np.float16))
        bank.flags.writeable = False
        return bank

    def _days(self, template: str, spacing_mm: float) -> Bank:
        return self._unit([gestation_sentence(template, int(day), spacing_mm) for day in GRID_DAYS])

    def _labels(self, groups: list[tuple[str, ...]]) -> Bank:
        vectors = self._unit([sentence for group in groups for sentence in group])
        ends = np.cumsum([len(group) for group in groups])
        means = np.stack([part.mean(axis=0) for part in np.split(vectors, ends[:-1])])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def _unit(self, sentences: list[str]) -> Bank:
        """(N, D) unit vectors of the sentences."""
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

    def _stored(self, key: str, rows: int) -> Bank | None:
        """A bank from disk; None where there is none, or what is there is damaged (it is then built again)."""
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
        """Whole or not at all. A cache that cannot be written costs time at the next start and nothing else."""
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


class GestationBanks:
    """Banks for a live stream: what is not ready yet is None, and is built in a thread of this object's own.

    Of several spacings asked for while one is being built, the newest is built next: those in between were passed
    through while somebody turned the zoom.
    """

    def __init__(self, banks: TextBanks) -> None:
        self._banks = banks
        self._ready: OrderedDict[str, Bank] = OrderedDict()
        self._wanted: float | None = None
        self._error: ModelError | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._build, name="gestation-banks", daemon=True)
        self._thread.start()

    def get(self, spacing_mm: float) -> Bank | None:
        """(175, D) float32, or None while it is being built.

        Raises:
            ModelError: an earlier one could not be built.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            bank = self._ready.get(f"{spacing_mm:.2f}")
            if bank is None:
                self._wanted = spacing_mm
                self._changed.notify()
            return bank

    def close(self) -> None:
        """Ends the thread, after the bank that it is building."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _build(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanted is not None)
                spacing_mm, self._wanted = self._wanted, None
                if self._closed or spacing_mm is None:
                    return
            try:
                bank = self._banks.gestation(spacing_mm)
            except Exception as error:  # a thread's error would be lost: the next `get` raises it
                with self._changed:
                    self._error = ModelError(f"text features of {spacing_mm:.2f} mm cannot be built: {error}")
                    return
            with self._changed:
                self._ready[f"{spacing_mm:.2f}"] = bank
                if len(self._ready) > _BANKS_IN_MEMORY:
                    self._ready.popitem(last=False)
