"""A stage runs batches on one kind of device: pictures go in, embeddings and products come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fetalstream.pipeline.model.preprocess import Pixels
from fetalstream.pipeline.model.textbank import Vectors


@dataclass(frozen=True, eq=False)
class Item:
    """One picture to encode: uint8 ``(H, W)`` or ``(H, W, 3)``, already cropped to the sector.

    ``gestation_bank`` is (175, D) for the picture's spacing, or None if its age is not wanted.
    """

    pixels: Pixels
    gestation_bank: Vectors | None = None


@dataclass(frozen=True, eq=False)
class Encoded:
    """The results of a batch, in the order of its items.

    Attributes:
        embeddings: (N, D) unit vectors.
        cosines: (N, L) with `Heads.texts`.
        rows: N age rows (175,), or None.
        preprocess_ms: time that preprocessing took, for the whole batch.
        encode_ms: time from the inputs to the results, for the whole batch.
    """

    embeddings: Vectors
    cosines: Vectors
    rows: list[Vectors | None]
    preprocess_ms: float
    encode_ms: float


class Launch(Protocol):
    """A batch that was given to the device."""

    def collect(self) -> Encoded:
        """Wait for the batch; may be called once, from any thread."""
        ...


class Stage(Protocol):
    """One model on one device; always called by the same thread.

    ``synchronous``: whether ``launch`` returns only after everything is computed.
    """

    @property
    def synchronous(self) -> bool: ...

    def launch(self, items: Sequence[Item]) -> Launch:
        """Start a batch of 1 to 32 pictures."""
        ...

    def free(self) -> None:
        """Release memory that is only cached."""
        ...
