"""Any sentence against the frames: how much better it fits than what else could be said of them.

A cosine alone means little: some sentences fit every picture. So a question is scored against a contrast set, the
model's own labels without the one that says the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fetalstream.pipeline import wire
from fetalstream.pipeline.model.prompts import Prompts
from fetalstream.pipeline.model.textbank import TextBanks
from fetalstream.pipeline.readout.openset import LOGIT_SCALE
from fetalstream.pipeline.readout.segment import Segment

Vectors = npt.NDArray[np.floating]

TAU_SECONDS: Final = 0.3
KNOWN_AFTER: Final = 30  # frames, before there is a percentile
_LOGITS: Final = 30.0
_BINS: Final = 600
_WORD: Final = re.compile(r"[a-z]+")


@dataclass(frozen=True, eq=False)
class Question:
    """A sentence made ready. ``vector``: (D,) unit; ``contrast``: (K, D) unit; ``note``: why not to trust it, or None.

    ``logits`` turns image vectors into answers.
    """

    text: str
    vector: Vectors
    contrast: Vectors
    note: str | None = None

    def logits(self, embeddings: Vectors) -> Vectors:
        """Return the sentence's logit less the log-sum-exp of the contrast set's, for vectors (..., D)."""
        own = LOGIT_SCALE * (embeddings @ self.vector)
        rivals = LOGIT_SCALE * (embeddings @ self.contrast.T)
        top = rivals.max(axis=-1)
        return own - top - np.log(np.exp(rivals - top[..., None]).sum(axis=-1))


class AskQuestion(NamedTuple):
    """The ``ask`` command once its sentence has been made ready; ``stream`` None for all streams."""

    stream: str | None
    question: Question


EngineCommand: TypeAlias = wire.Command | AskQuestion
"""A command as the engine carries it out."""


def question(text: str, banks: TextBanks, known_words: frozenset[str] | None = None) -> Question:
    """Return a sentence as a question for a model.

    Args:
        text: as asked.
        banks: of the model; its text tower runs, which takes a second on a slow machine: off the hot path, please.
        known_words: what the model can have learnt, None for a model that has read a lot; see `words_of`.

    Raises:
        ValueError: there is no sentence.
    """
    if not text.strip():
        raise ValueError("ask in words, for example: four-chamber view")
    vector = banks.sentence(text)
    labels = [banks.planes] if banks.other is None else [banks.planes, banks.other[None]]
    contrast = np.concatenate(labels)
    same = int((contrast @ vector).argmax())
    return Question(text, vector, np.delete(contrast, same, axis=0), _note(text, known_words))


def words_of(prompts: Prompts, more: Iterable[str] = ()) -> frozenset[str]:
    """All words of the sentences, and of ``more``."""
    groups = [*prompts.planes.values(), *prompts.subplanes.values(), prompts.other, prompts.gestation, tuple(more)]
    return frozenset(word for group in groups for sentence in group for word in _words(sentence))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _note(text: str, known_words: frozenset[str] | None) -> str | None:
    if known_words is None:
        return None
    unknown = [word for word in dict.fromkeys(_words(text)) if word not in known_words]
    return f"this model never learnt: {', '.join(unknown)}" if unknown else None


class AskMeter:
    """Scores a stream's frames against a question, smoothed in media time. Passive."""

    def __init__(self, asked: Question) -> None:
        self._question = asked
        self._seen = np.zeros(_BINS + 1, dtype=np.int64)  # how often each answer came, for the percentile
        self._segment: Segment | None = None
        self._logit = 0.0
        self._weight = 0.0
        self._pts_seconds = -math.inf

    def update(self, pts_seconds: float, segment: Segment, embedding: Vectors) -> wire.Ask:
        """Return the score of a frame: ``score`` 0 to 1, the smoothed probability that the sentence fits best.

        ``percentile`` 0 to 100: the share of this session's frames, since it was asked, that fit no better; None until
        there are ``KNOWN_AFTER``.
        """
        if self._segment is None or segment.picture != self._segment.picture:
            self._weight, self._logit, self._pts_seconds = 0.0, 0.0, -math.inf
        self._segment = segment
        keep = math.exp(min(0.0, self._pts_seconds - pts_seconds) / TAU_SECONDS)
        self._logit = self._logit * keep + float(self._question.logits(embedding))
        self._weight = self._weight * keep + 1
        self._pts_seconds = max(self._pts_seconds, pts_seconds)
        logit = min(_LOGITS, max(-_LOGITS, self._logit / self._weight))
        place = round((logit / _LOGITS + 1) / 2 * _BINS)
        self._seen[place] += 1
        frames = int(self._seen.sum())
        share = 100 * int(self._seen[: place + 1].sum()) / frames
        return wire.Ask(
            text=self._question.text,
            score=1 / (1 + math.exp(-logit)),
            percentile=share if frames >= KNOWN_AFTER else None,
            note=self._question.note,
        )
