"""``fetalstream search``: a search by words for the moments of a session."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fetalstream.tui.commands import option_parts as parts
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.progress import say
from fetalstream.tui.errors import UserError
from fetalstream.tui.run.model_loading import load
from fetalstream.tui.settings.chosen_model import chosen_model
from fetalstream.tui.settings.settings import ModelSettings
from fetalstream.tui.state.text import plain

if TYPE_CHECKING:
    from fetalstream.pipeline.stream.questions import Question
    from fetalstream.tui.record.vectors import Vectors

APART_SECONDS: Final = 2.0


class SearchError(UserError):
    """A session that cannot be searched; ``str()`` is one line."""


class SearchMoment(NamedTuple):
    """A frame that fits, the best of its surroundings; ``score`` 0 to 1, smoothed over the frames before it."""

    stream: str
    exam: str
    frame: int
    epoch: int
    pts_seconds: float
    score: float


def add(commands: parts.Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = parts.add_command(commands, "search", "find the moments of a session that fit a sentence")
    parts.session_argument(parser, "recorded with --embeddings")
    parser.add_argument("text", metavar="TEXT", help="for example: four-chamber view")
    parser.add_argument("--top", type=int, metavar="N", default=10, help="how many (10)")
    parts.json_option(parser, "one JSON line")
    parts.model_options(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Search the session for the sentence.

    Raises:
        SearchError: the session has no embeddings, or they are of another model.
        ModelError, ConfigError: the model cannot be used.
    """
    search(options.session, options.text, chosen_model(options, ModelSettings()), top=options.top, as_json=options.json)
    return DONE


def search(session: Path, text: str, model: ModelSettings, *, top: int, as_json: bool) -> None:
    """Print the best moments, the best first.

    Raises:
        SearchError: the session has no embeddings, or they are of another model.
    """
    from fetalstream.pipeline.bus.question_encoding import asker_of
    from fetalstream.tui.record.session_reader import read_about
    from fetalstream.tui.record.vectors import read_vectors

    try:
        vectors = read_vectors(session)
        about: dict[str, Any] = _model_of(read_about(session))
    except (ValueError, OSError) as error:
        raise SearchError(str(error)) from error
    ready = load(model, say)
    if about.get("weights_sha256") not in (None, ready.model.weights_sha256):
        raise SearchError(f"{session} was read by {about.get('name')}, with other weights: choose it with --model")
    asked = asker_of(ready)(text)
    found = moments(vectors, asked)[:top]
    if asked.note is not None:
        say(asked.note)
    if as_json:
        print(json.dumps({"text": text, "note": asked.note, "moments": [moment._asdict() for moment in found]}))
        return
    for moment in found:
        place = f"{moment.pts_seconds:8.2f} s  frame {moment.frame}"
        print(f"{moment.score:5.3f}  {plain(moment.stream, 40)}  {place}")


def _model_of(about: dict[str, Any]) -> dict[str, Any]:
    model = about.get("model")
    return dict(model) if isinstance(model, dict) else {}


def moments(vectors: Vectors, asked: Question) -> list[SearchMoment]:
    """Return all moments, the best first, each at least ``APART_SECONDS`` from the others of its stream's epoch."""
    import numpy as np

    from fetalstream.pipeline.readout.segment import Segment
    from fetalstream.pipeline.stream.questions import AskMeter

    meters: dict[str, AskMeter] = {}
    scored: list[SearchMoment] = []
    for row, header in zip(vectors.rows.astype(np.float32), vectors.frames, strict=True):
        frame = header["frame"]
        meter = meters.setdefault(f"{header['stream']}/{header['exam']}", AskMeter(asked))
        score = meter.update(frame["pts_seconds"], Segment(epoch=frame["epoch"]), row).score
        place = (frame["index"], frame["epoch"], frame["pts_seconds"])
        scored.append(SearchMoment(header["stream"], header["exam"], *place, score))
    found: list[SearchMoment] = []
    for moment in sorted(scored, key=lambda each: -each.score):
        if not any(_near(moment, other) for other in found):
            found.append(moment)
    return found


def _near(one: SearchMoment, other: SearchMoment) -> bool:
    same = (one.stream, one.exam, one.epoch) == (other.stream, other.exam, other.epoch)
    return same and abs(one.pts_seconds - other.pts_seconds) < APART_SECONDS
