"""The zero-shot heads turn image vectors into cosines with planes, subplanes and "other", and scores of ages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline.model.textbank import TextBanks, Vectors
from fetalstream.pipeline.readout.openset import LOGIT_SCALE


@dataclass(frozen=True, eq=False)
class HeadOutputs:
    """The outputs of all heads for one picture.

    Attributes:
        embedding: (D,) unit vector.
        plane_cosines: (P,) image · text in the order of the banks' ``plane_labels``.
        subplane_cosines: (S,) image · text in the order of the banks' ``subplane_labels``.
        other_cosine: image · text of "other"; None if the prompts have no sentences about it.
        gestation_row: (175,) 100 · image · text for every day of the grid; None if no bank was given.
    """

    embedding: Vectors
    plane_cosines: Vectors
    subplane_cosines: Vectors
    other_cosine: float | None
    gestation_row: Vectors | None


class Heads:
    """The text vectors of all labels in one matrix, so that a batch takes one product.

    Attributes:
        texts: (D, L) text vectors of planes, subplanes and "other", in this order.
    """

    def __init__(self, banks: TextBanks) -> None:
        self._planes = len(banks.planes)
        self._subplanes = len(banks.subplanes)
        self._knows_other = banks.other is not None
        rows = [banks.planes, banks.subplanes, *([banks.other[None]] if banks.other is not None else [])]
        self.texts: Vectors = np.ascontiguousarray(np.concatenate(rows).T)

    def outputs(self, embeddings: Vectors, gestation_banks: list[Vectors | None]) -> list[HeadOutputs | None]:
        """Compute the head outputs of a batch.

        Args:
            embeddings: (N, D) unit vectors.
            gestation_banks: N banks (175, D), None for a picture whose age is not wanted.

        Returns:
            N outputs, None for a picture whose model output is not finite.
        """
        return self.outputs_from_products(embeddings, *self.products(embeddings, gestation_banks))

    def products(
        self, embeddings: Vectors, gestation_banks: list[Vectors | None]
    ) -> tuple[Vectors, list[Vectors | None]]:
        """Compute cosines (N, L) with ``texts`` and N age rows (175,), 100 · image · text, None without a bank."""
        # A vector of NaN spoils its own row only, and `outputs_from_products` looks for it: numpy need not warn.
        with np.errstate(invalid="ignore"):
            rows = [
                None if bank is None else np.float32(LOGIT_SCALE) * (bank @ embedding)
                for bank, embedding in zip(gestation_banks, embeddings, strict=True)
            ]
            return embeddings @ self.texts, rows

    def outputs_from_products(
        self, embeddings: Vectors, cosines: Vectors, rows: list[Vectors | None]
    ) -> list[HeadOutputs | None]:
        """Make the head outputs of a batch from products that were computed already.

        Args:
            embeddings: (N, D) unit vectors.
            cosines: (N, L) with ``texts``.
            rows: N age rows (175,), 100 · image · text of every day; None for a picture whose age is not wanted.

        Returns:
            N outputs, None for a picture whose model output is not finite.
        """
        return [self._one(*each) for each in zip(embeddings, cosines, rows, strict=True)]

    def _one(self, embedding: Vectors, cosines: Vectors, row: Vectors | None) -> HeadOutputs | None:
        if not (np.isfinite(embedding).all() and np.isfinite(cosines).all()):
            return None
        return HeadOutputs(
            embedding=embedding,
            plane_cosines=cosines[: self._planes],
            subplane_cosines=cosines[self._planes : self._planes + self._subplanes],
            other_cosine=float(cosines[-1]) if self._knows_other else None,
            gestation_row=row,
        )


def label_probabilities(cosines: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Apply the published readout, a softmax of 100 · cosine over the labels: (L,), sum 1.

    It always favours some label; `pipeline.readout.openset.Rejector` knows pictures that show none.
    """
    logits = LOGIT_SCALE * np.asarray(cosines, dtype=np.float64)
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()
