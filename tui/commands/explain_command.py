"""``fetalstream explain``: maps of a session's best frames, beside their pictures: which places spoke for the plane."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from PIL import Image

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands.loading import load, versions
from fetalstream.tui.record.exams import exams_of
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.record.session_files import make_folder, safe_name, with_notice, write_whole
from fetalstream.tui.settings.settings import ModelSettings
from fetalstream.tui.state.keyframe_review import Best

if TYPE_CHECKING:
    from fetalstream.pipeline.explain.relevance_maps import Explainer
    from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
    from fetalstream.streamer.frame import Pixels

MAPS: Final = "maps"


class ExplainError(Exception):
    """A session whose maps cannot be drawn; ``str()`` is one line that says what to do."""


def explain(
    session: Path,
    *,
    model: str | None = None,
    weights: str | None = None,
    prompts: str | None = None,
    say: Callable[[str], None] = print,
) -> list[Path]:
    """Writes ``maps/<keyframe id>.png`` and ``.json`` for what stands for each plane in every examination.

    The session may still be recorded. Maps that are there already are drawn anew.

    Args:
        session: its folder.
        model: by another model than the session's, which is taken otherwise, and has to be the same.
        weights: of the model; as for the other commands.
        prompts: likewise.
        say: is told, a line at a time, what takes long and what is left out.

    Returns:
        The pictures that were written.

    Raises:
        RecordingError: it is no session.
        ExplainError: it has no picture of a best frame, or was made by another model.
        ConfigError, ModelError: the model cannot be used.
        OSError: a file could not be written.
    """
    recording = Recording(session)
    try:
        wanted = [best for exam in exams_of(recording) for best in exam.shown()]
        frames = [(best, png) for best in wanted if (png := recording.picture(best.keyframe)) is not None]
        if not frames:
            raise ExplainError(f"{session} holds no picture of a best frame")
        if len(frames) < len(wanted):
            say(f"{len(wanted) - len(frames)} of {len(wanted)} frames are left out: their pictures were not saved")
        ready = _loaded(recording.about.get("model") or {}, session, model, weights, prompts, say)
        return list(_written(session, frames, ready, say))
    finally:
        recording.close()


def _loaded(
    told: dict[str, Any], session: Path, model: str | None, weights: str | None, prompts: str | None,
    say: Callable[[str], None],
) -> LoadedPipeline:  # fmt: skip
    """The session's model, or the one that was asked for."""
    name = model or told.get("name")
    if not isinstance(name, str):
        raise ExplainError(f"{session} does not say which model it was made by: choose one with --model")
    # Maps are drawn in float32 on the CPU wherever the model ran.
    settings = ModelSettings(model=name, device="cpu", precision="fp32")
    given = {"weights": weights, "prompts": prompts}
    ready = load(msgspec.structs.replace(settings, **{key: value for key, value in given.items() if value}), say)
    if model is None:
        same = {"weights": ready.model.weights_sha256, "prompts": ready.prompts.sha256}
        for what, sha256 in same.items():
            if told.get(f"{what}_sha256") not in (None, sha256):
                raise ExplainError(
                    f"{session} was made by {name} with other {what}: give them with --{what}, or choose with --model"
                )
    return ready


def _written(
    session: Path, frames: list[tuple[Best, bytes]], ready: LoadedPipeline, say: Callable[[str], None]
) -> Iterator[Path]:
    from fetalstream.pipeline.explain.relevance_maps import Explainer

    explainer = Explainer(ready.model, ready.banks)
    folder = make_folder(session / MAPS)
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
        picture, told = _map(explainer, pixels, best)
        path = folder / f"{safe_name(best.keyframe)}.png"
        sidecar = {**told, "model": about, "sha256": hashlib.sha256(picture).hexdigest(), "versions": versions()}
        # The picture comes last, as with keyframes: where it is, what is known of it is there too.
        write_whole(path.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(sidecar), indent=2) + b"\n")
        write_whole(path, picture)
        yield path


def _map(explainer: Explainer, pixels: Pixels, best: Best) -> tuple[bytes, dict[str, Any]]:
    from fetalstream.pipeline.explain.relevance_maps import overlay

    found = explainer.explain(pixels, best.plane)
    told = {
        "notice": NOTICE,
        "keyframe": best.keyframe,
        "plane": found.plane,
        "method": found.method,
        "score": found.score,
    }
    return with_notice(overlay(pixels, found.heat)), told


def _pixels(png: bytes) -> Pixels | None:
    """Gray or RGB; None where it is damaged."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            return np.asarray(image if image.mode == "L" else image.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
