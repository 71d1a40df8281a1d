"""Relevance maps of vision transformers by LeGrad.

W. Bousselham, A. Boggust, S. Chaybouti, H. Strobelt, H. Kuehne, "LeGrad: An Explainability Method for Vision
Transformers via Feature Formation Sensitivity", arXiv 2404.03214: each layer's tokens are pooled as if it were the
last one; the positive part of the score's gradient with respect to the layer's attention is averaged over heads and
over the tokens that attend; the map is the mean over layers, less its smallest value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from fetalstream.pipeline.errors import ModelError

Score = Callable[[torch.Tensor], torch.Tensor]
"""A function from features (N, D) to the score that is explained, (N,)."""


class AttentionMap:
    """Draws maps from the upper half of the layers, whose pooled tokens already carry meaning.

    Args:
        tower: open_clip's own vision transformer, or one of timm's; changed in place, so that its attention weights
            can be read.

    Raises:
        ModelError: the attention is of an unknown kind, or the patches do not form a square.
    """

    method = "LeGrad"

    def __init__(self, tower: nn.Module) -> None:
        self._tower: Any = tower
        trunk: Any = getattr(tower, "trunk", None)
        if trunk is None:
            blocks = list(self._tower.transformer.resblocks)
            self._pool, self._prefix_tokens = self._pool_open_clip, 1
            for block in blocks:
                block.attn = _TappedAttention(block.attn)
            self._taps = [block.attn.tap for block in blocks]
        else:
            blocks = list(trunk.blocks)
            self._pool, self._prefix_tokens = self._pool_timm, int(trunk.num_prefix_tokens)
            for block in blocks:
                block.attn.fused_attn = False
                block.attn.attn_drop = _Tap()
            self._taps = [block.attn.attn_drop for block in blocks]
        self._blocks: list[nn.Module] = blocks

    def __call__(self, picture: torch.Tensor, score: Score) -> torch.Tensor:
        """Draw the map (G, G), not negative, of one picture (1, 3, S, S)."""
        upper = range(len(self._blocks) // 2, len(self._blocks))
        tokens = self._tokens_into(upper, picture)
        total = sum((self._layer_relevance(layer, tokens[layer], score) for layer in upper), torch.zeros(()))
        side = math.isqrt(total.numel())
        if side * side != total.numel():
            raise ModelError(f"no map can be drawn of {total.numel()} patches: they make no square")
        return (total - total.min()).reshape(side, side)

    def _tokens_into(self, layers: range, picture: torch.Tensor) -> dict[int, torch.Tensor]:
        tokens: dict[int, torch.Tensor] = {}

        def record(layer: int) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
            return lambda _, inputs: tokens.update({layer: inputs[0].detach()})

        hooks = [self._blocks[layer].register_forward_pre_hook(record(layer)) for layer in layers]
        try:
            with torch.no_grad():
                self._tower(picture)
        finally:
            for hook in hooks:
                hook.remove()
        return tokens

    def _layer_relevance(self, layer: int, tokens: torch.Tensor, score: Score) -> torch.Tensor:
        """Return for each patch, (P,), how much attention to it raises the score of this layer."""
        with torch.enable_grad():
            explained = score(self._pool(self._blocks[layer](tokens.requires_grad_(True))))
            attention = self._taps[layer].take()
            (gradient,) = torch.autograd.grad(explained.sum(), [attention])
        return gradient.clamp(min=0).mean(dim=(0, 1, 2))[self._prefix_tokens :]

    def _pool_open_clip(self, tokens: torch.Tensor) -> torch.Tensor:
        pooled, _ = self._tower._pool(tokens)
        return pooled if self._tower.proj is None else pooled @ self._tower.proj

    def _pool_timm(self, tokens: torch.Tensor) -> torch.Tensor:
        trunk = self._tower.trunk
        return self._tower.head(trunk.forward_head(trunk.norm(tokens)))


class _Tap(nn.Module):
    """Passes attention weights on, and keeps the last ones for one reader."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: torch.Tensor | None = None

    def forward(self, attention: torch.Tensor) -> torch.Tensor:
        self._seen = attention if torch.is_grad_enabled() else None
        return attention

    def take(self) -> torch.Tensor:
        attention, self._seen = self._seen, None
        assert attention is not None
        return attention


class _TappedAttention(nn.Module):
    """Computes the same as a ``MultiheadAttention``, with a tap for its weights (N, heads, T, T)."""

    def __init__(self, wrapped: nn.MultiheadAttention) -> None:
        super().__init__()
        if not wrapped.batch_first:
            raise ModelError("no map can be drawn of this kind of attention")
        self._wrapped = wrapped
        self.tap = _Tap()

    def forward(self, query: torch.Tensor, *_: torch.Tensor, **__: object) -> tuple[torch.Tensor, None]:
        wrapped = self._wrapped
        number, length, width = query.shape
        each = width // wrapped.num_heads
        mixed = nn.functional.linear(query, wrapped.in_proj_weight, wrapped.in_proj_bias)
        queries, keys, values = mixed.view(number, length, 3, wrapped.num_heads, each).permute(2, 0, 3, 1, 4)
        attention = self.tap((queries @ keys.transpose(-2, -1) * each**-0.5).softmax(dim=-1))
        return wrapped.out_proj((attention @ values).transpose(1, 2).reshape(number, length, width)), None
