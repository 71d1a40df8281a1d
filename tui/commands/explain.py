"""``fetalstream explain``: maps over a session's best frames, of the places that spoke for their planes."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands.exit_codes import DONE
from fetalstream.tui.commands.option_parts import Commands, add_command, session_argument
from fetalstream.tui.commands.progress import say
from fetalstream.tui.errors import UserError
from fetalstream.tui.run.model_loading import load, versions
from fetalstream.tui.settings.settings import ModelSettings
from fetalstream.tui.state.text import plain

if TYPE_CHECKING:
    from fetalstream.pipeline.explain.relevance_maps import Explainer
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.streamer.frame import Pixels
    from fetalstream.tui.state.keyframe_review import BestFrame


class ExplainError(UserError):
    """A session whose maps cannot be drawn; ``str()`` is one line that says what to do."""


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(
        commands,
        "explain",
        "show which places of a past session's best frames spoke for their planes",
        "Draws a map over each best frame, into the session's maps folder; the report shows it beside\n"
        "the frame. By the session's own model if it is installed here, unless --model is given.",
    )
    session_argument(parser)
    parser.add_argument("--model", metavar="NAME", help="another model than the session's, or a path to a model file")
    parser.add_argument("--weights", metavar="PATH", help="a checkpoint of it, or random")
    parser.add_argument("--prompts", metavar="DIR", help="sentences of your own")
    return parser


def run(options: argparse.Namespace) -> int:
    """Draw the maps and print where they are.

    Raises:
        RecordingError, ExplainError, ConfigError, ModelError: see `explain`.
    """
    for path in explain(options.session, model=options.model, weights=options.weights, prompts=options.prompts):
        print(path)
    return DONE


def explain(
    session: Path, *, model: str | None = None, weights: str | None = None, prompts: str | None = None
) -> list[Path]:
    """Write ``maps/<keyframe id>.png`` and ``.json`` for the best frame of each plane in every examination.

    The session may still be recorded. Maps that are there already are drawn anew.

    Args:
        session: its folder.
        model: the model to draw by; None for the session's own, which must then be the same.
        weights: other weights for it, as for the other commands.
        prompts: another folder of sentences.

    Returns:
        The pictures that were written.

    Raises:
        RecordingError: it is no session.
        ExplainError: it has no picture of a best frame, or was made by another model.
        ConfigError, ModelError: the model cannot be used.
        OSError: a file could not be written.
    """
    from fetalstream.tui.record.exams import exams_of
    from fetalstream.tui.record.replay import Recording

    with closing(Recording(session)) as recording:
        wanted = [best for exam in exams_of(recording) for best in exam.shown()]
        frames = [(best, png) for best in wanted if (png := recording.picture(best.keyframe)) is not None]
        if not frames:
            raise ExplainError(f"{session} holds no picture of a best frame")
        if len(frames) < len(wanted):
            say(f"{len(wanted) - len(frames)} of {len(wanted)} frames are left out: their pictures were not saved")
        recorded = recording.about.get("model")
        ready = _loaded(recorded if isinstance(recorded, dict) else {}, session, model, weights, prompts)
        return list(_written(session, frames, ready))


def _loaded(
    recorded: dict[str, Any], session: Path, model: str | None, weights: str | None, prompts: str | None
) -> LoadedPipeline:
    """Load the session's model, or the one that was asked for."""
    name = model or _named_by_session(recorded.get("name"), session, weights)
    # Maps are drawn in float32 on the CPU wherever the model ran.
    settings = ModelSettings(model=name, device="cpu", precision="fp32")
    given = {"weights": weights, "prompts": prompts}
    ready = load(msgspec.structs.replace(settings, **{key: value for key, value in given.items() if value}), say)
    if model is None:
        same = {"weights": ready.model.weights_sha256, "prompts": ready.prompts.sha256}
        for what, sha256 in same.items():
            if recorded.get(f"{what}_sha256") not in (None, sha256):
                raise ExplainError(
                    f"{session} was made by {name} with other {what}: give them with --{what}, or choose with --model"
                )
    return ready


def _named_by_session(name: Any, session: Path, weights: str | None) -> str:
    """Return the name of the session's own model if it is one of this machine's: a session is never obeyed further."""
    from fetalstream.pipeline.model.config import load_model_config, model_names
    from fetalstream.pipeline.model.loading import asks_hub

    if not isinstance(name, str):
        raise ExplainError(f"{session} does not say which model it was made by: choose one with --model")
    if name not in model_names():
        raise ExplainError(f"{session} was made by {plain(name)}, which is not installed here: choose one with --model")
    if asks_hub(load_model_config(name), weights):
        raise ExplainError(f"parts of {name} have to be downloaded: give --model {name} to allow that")
    return name


def _written(session: Path, frames: list[tuple[BestFrame, bytes]], ready: LoadedPipeline) -> Iterator[Path]:
    from fetalstream.pipeline.explain.relevance_maps import Explainer
    from fetalstream.tui.record.session_files import MAPS, make_folder_inside, safe_name, write_whole

    explainer = Explainer(ready.model, ready.banks)
    folder = make_folder_inside(session, MAPS)
    about = {
        "name": ready.model.config.name,
        "weights_sha256": ready.model.weights_sha256,
        "prompts_sha256": ready.prompts.sha256,
    }
    for best, png in frames:
        pixels = _pixels(png)
        if pixels is None or best.plane not in explainer.labels:
            say(f"{best.keyframe} is left out: {'damaged' if pixels is None else f'no sentences about {best.plane}'}")
            continue
        picture, facts = _map(explainer, pixels, best)
        path = folder / f"{safe_name(best.keyframe)}.png"
        sidecar = {**facts, "model": about, "sha256": hashlib.sha256(picture).hexdigest(), "versions": versions()}
        # The picture comes last: a picture that is there has its description beside it.
        write_whole(path.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(sidecar), indent=2) + b"\n")
        write_whole(path, picture)
        yield path


def _map(explainer: Explainer, pixels: Pixels, best: BestFrame) -> tuple[bytes, dict[str, Any]]:
    from fetalstream.pipeline.explain.relevance_maps import overlay
    from fetalstream.tui.record.session_files import with_notice

    found = explainer.explain(pixels, best.plane)
    facts = {
        "notice": NOTICE,
        "keyframe": best.keyframe,
        "plane": found.plane,
        "method": found.method,
        "score": found.score,
    }
    return with_notice(overlay(pixels, found.heat)), facts


def _pixels(png: bytes) -> Pixels | None:
    """Decode a picture, gray or RGB; None if it is damaged or too large."""
    import numpy as np

    from fetalstream.tui.record.session_reader import open_picture

    picture = open_picture(png)
    return None if picture is None else np.asarray(picture)
