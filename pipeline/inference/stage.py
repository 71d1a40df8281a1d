"""What stands between an encoder and a device: a batch of pictures goes in, its products come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fetalstream.pipeline.model.preprocess import Pixels
from fetalstream.pipeline.model.textbank import Vectors


@dataclass(frozen=True, eq=False)
class Item:
    """One picture to encode: uint8 ``(H, W)`` or ``(H, W, 3)``, already cropped to the sector.

    ``gestation_bank`` is (175, D) for the picture's spacing, or None where no age is asked for.
    """

    pixels: Pixels
    gestation_bank: Vectors | None = None


@dataclass(frozen=True, eq=False)
class Encoded:
    """A batch in the order of its items.

    ``embeddings``: (N, D) unit vectors. ``cosines``: (N, L) with `Heads.texts`. ``rows``: N of (175,) or None.
    ``preprocess_ms``, ``encode_ms``: what the whole batch took, to its inputs and from there.
    """

    embeddings: Vectors
    cosines: Vectors
    rows: list[Vectors | None]
    preprocess_ms: float
    encode_ms: float


class Launch(Protocol):
    """A batch that the device works on."""

    def collect(self) -> Encoded:
        """Waits for it; may be called from any thread, once."""
        ...


class Stage(Protocol):
    """One model on one device. Called by one thread, always the same.

    ``at_once``: whether ``launch`` only returns when all is computed.
    """

    @property
    def synchronous(self) -> bool: ...

    def launch(self, items: Sequence[Item]) -> Launch:
        """Begin with a batch of 1 to 32 pictures."""
        ...

    def free(self) -> None:
        """Give back memory that is only kept for later."""
        ...
