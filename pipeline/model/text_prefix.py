"""Sentences that share a prefix are encoded with one computation of it, which is kept for the next batch.

The sentences about age differ in a few numbers: 175 days in each of five templates, the same at every spacing but for
its digits. In a causal text tower a token depends on earlier tokens only, so the keys and values of a shared prefix
serve all sentences that begin with it, and those up to the spacing's digits serve every spacing. The results are those
of the full computation, up to rounding in float32.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from fetalstream.pipeline.model import openclip

Tokens = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Level:
    """The distinct prefixes that end at one column, with the keys and values of their last part.

    Attributes:
        prefixes: (U, end) tokens.
        parent: (U,) for each prefix the row of the level before that it continues.
        keys: one tensor a layer, (U, heads, end - start, width / heads).
        values: one tensor a layer, of the same shape.
    """

    prefixes: Tokens
    parent: torch.Tensor
    keys: list[torch.Tensor]
    values: list[torch.Tensor]


class SharedPrefixes:
    """Encodes batches of sentences with one causal text tower, and keeps the last batch's keys and values.

    For FetalCLIP and 175 sentences of one template they take about 100 MB.

    Args:
        clip: a model for which `supports` is true.
    """

    def __init__(self, clip: torch.nn.Module) -> None:
        self._tower = openclip.text_tower(clip)
        self._blocks: list[Any] = list(self._tower.transformer.resblocks)
        self._kept: list[_Level] = []

    @staticmethod
    def supports(clip: torch.nn.Module) -> bool:
        """Return whether the text tower is causal, pools at the end token, and is built of plain blocks."""
        if not openclip.reads_causally(clip):
            return False
        blocks = openclip.text_tower(clip).transformer.resblocks
        return all(
            type(block.attn) is torch.nn.MultiheadAttention and not hasattr(block, "ln_1_kv") for block in blocks
        )

    def encode(self, tokens: torch.Tensor, split_at: Iterable[int] = ()) -> torch.Tensor:
        """Encode sentences as features, (N, D) float32, not normalised.

        Args:
            tokens: (N, context_length); all sentences are equally long.
            split_at: columns at which the next batch may begin to differ; the part before them is kept.

        Raises:
            ValueError: the sentences differ in length.
        """
        ends = tokens.argmax(dim=-1)  # the end token has the highest number of the vocabulary
        if not bool((ends == ends[0]).all()):
            raise ValueError("sentences that share a beginning must be equally long")
        length = int(ends[0]) + 1
        table: Tokens = tokens[:, :length].cpu().numpy()
        levels: list[_Level] = []
        kept, self._kept = self._kept, []
        for end in _ends(table, split_at):
            prefixes, first_rows, row_of = np.unique(table[:, :end], axis=0, return_index=True, return_inverse=True)
            if end == length:
                return self._features(levels, prefixes, self._parents(levels, table[first_rows]))[row_of.reshape(-1)]
            before = kept[len(levels)] if len(levels) < len(kept) else None
            if before is None or not np.array_equal(before.prefixes, prefixes):
                kept = kept[: len(levels)]
                before = self._level(levels, prefixes, self._parents(levels, table[first_rows]))
            levels.append(before)
            self._kept = levels
        raise AssertionError("the last level ends with the sentence")

    @staticmethod
    def _parents(levels: list[_Level], rows: Tokens) -> torch.Tensor:
        """Return for each row of tokens the row of the last level's prefix that it begins with."""
        if not levels:
            return torch.zeros(len(rows), dtype=torch.long)
        known = {prefix.tobytes(): place for place, prefix in enumerate(levels[-1].prefixes)}
        end = levels[-1].prefixes.shape[1]
        return torch.tensor([known[np.ascontiguousarray(row[:end]).tobytes()] for row in rows])

    def _level(self, levels: list[_Level], prefixes: Tokens, parent: torch.Tensor) -> _Level:
        keys: list[torch.Tensor] = []
        values: list[torch.Tensor] = []
        self._run(levels, prefixes, parent, lambda key, value: (keys.append(key), values.append(value)))
        return _Level(prefixes, parent, keys, values)

    def _features(self, levels: list[_Level], prefixes: Tokens, parent: torch.Tensor) -> torch.Tensor:
        hidden = self._run(levels, prefixes, parent, lambda *_: None)
        return openclip.projected(self._tower, hidden[:, -1])

    def _run(self, levels: list[_Level], prefixes: Tokens, parent: torch.Tensor, keep: Any) -> torch.Tensor:
        """Run the last part of each prefix through all layers: hidden states (U, columns, width)."""
        start = levels[-1].prefixes.shape[1] if levels else 0
        columns = prefixes.shape[1] - start
        tower = self._tower
        device = tower.positional_embedding.device
        own = torch.from_numpy(np.ascontiguousarray(prefixes[:, start:])).to(device)
        hidden = tower.token_embedding(own) + tower.positional_embedding[start : start + columns]
        # True where a column may attend: to all columns before this part, and to this part up to itself.
        seen = torch.ones(columns, start + columns, dtype=torch.bool, device=device).tril(start)
        lineage = _lineage(levels, parent)
        for layer, block in enumerate(self._blocks):
            query, key, value = _heads(block, hidden)
            keep(key, value)
            all_keys = torch.cat([*(level.keys[layer][rows] for level, rows in lineage), key], dim=2)
            all_values = torch.cat([*(level.values[layer][rows] for level, rows in lineage), value], dim=2)
            mixed = functional.scaled_dot_product_attention(query, all_keys, all_values, attn_mask=seen)
            hidden = hidden + block.ls_1(block.attn.out_proj(mixed.transpose(1, 2).flatten(2)))
            hidden = hidden + block.ls_2(block.mlp(block.ln_2(hidden)))
        return hidden


def first_difference(left: torch.Tensor, right: torch.Tensor) -> int | None:
    """Return the first column in which two token rows (context_length,) differ, or None."""
    differ = (left != right).nonzero()
    return int(differ[0]) if len(differ) else None


def _ends(table: Tokens, split_at: Iterable[int]) -> list[int]:
    """Return the columns at which levels end: where the sentences branch, and where the caller asks for it."""
    counts = [len(np.unique(table[:, :end], axis=0)) for end in range(1, table.shape[1] + 1)]
    branches = {column for column in range(1, len(counts)) if counts[column] != counts[column - 1]}
    return sorted(branches | {column for column in split_at if 0 < column < len(counts)} | {len(counts)})


def _lineage(levels: list[_Level], parent: torch.Tensor) -> list[tuple[_Level, torch.Tensor]]:
    """Return all earlier levels, each with the row of it that each new prefix continues."""
    found: list[tuple[_Level, torch.Tensor]] = []
    rows = parent
    for level in reversed(levels):
        found.append((level, rows))
        rows = level.parent[rows]
    return found[::-1]


def _heads(block: Any, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Compute queries, keys and values of a block, (U, heads, columns, width / heads) each."""
    attention = block.attn
    mixed = functional.linear(block.ln_1(hidden), attention.in_proj_weight, attention.in_proj_bias)
    split = mixed.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return split[0], split[1], split[2]
