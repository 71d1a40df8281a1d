"""The floor plan as a table, from the rules that a test holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from docs.markdown import code, table
from tests.test_floor_plan import RULES, SOURCES, package_of

HOLDS: Final = {
    "streamer.capture": "the capture process, the shared memory that frames lie in, and the source that stands for it",
    "streamer.dicom": "DICOM files and clips, and which of their regions gives the scale",
    "streamer.errors": "`UserError`, the root of errors that a person can mend; `SourceError`",
    "streamer.flow": "the mailbox between a source's thread and its reader; pacing by time stamps",
    "streamer.frame": "`Frame`: pixels, index, times, epoch, spacing",
    "streamer.given_scale": "the operator's scale, which ends with the picture that it was given for",
    "streamer.growth": "growth curves: head size by age",
    "streamer.in_process_source": "what all sources share that are read in this process",
    "streamer.live": "capture cards, network video, OpenIGTLink: found again after every loss",
    "streamer.phantom": "the made-up scan, its truth, and made-up scanners' screens",
    "streamer.readers": "video files, folders of images; decoding, damage, interlace",
    "streamer.region": "the scan region: found, kept, masked; the depth ruler; profiles of scanners",
    "streamer.signal": "live, frozen, black or no signal",
    "streamer.source_formats": "the kinds of sources, a line each: what names mean them, and what opens them",
    "streamer.sources": "from a name to the source that it stands for",
    "streamer.status": "how a source fares: trouble, reconnects, deaths",
    "pipeline.bench": "throughput and latency, with the plain loop beside them",
    "pipeline.bus": "ZeroMQ: publisher, control channel, replay of lost messages, endpoints",
    "pipeline.engine": "the loop that batches all streams; commands, health",
    "pipeline.errors": "errors of models, files and the engine",
    "pipeline.evaluation": "the published benchmarks, and decisions over time against the phantom's truth",
    "pipeline.explain": "maps of the places that speak for a plane",
    "pipeline.inference": "batches on a CPU or a GPU",
    "pipeline.keyframes": "best frames, runners-up, clips, the operator's decisions",
    "pipeline.loaded_pipeline": "a model loaded and made ready to run",
    "pipeline.model": "model files, weights, towers, sentences",
    "pipeline.readout": "the mathematics of planes over time, ages, quality, reuse: no model, no input or output",
    "pipeline.simulation": "the demo and whole examinations of the phantom",
    "pipeline.stream": "one stream: what a frame needs, what its answer means, what is offered as a best frame",
    "pipeline.training": "how a model is trained on real pictures, and how constants are fitted",
    "pipeline.wire": "every message, command and event; their JSON Schema and tables",
    "tui.cli": "the entry point",
    "tui.commands": "one command a file",
    "tui.dashboard": "the application: keys, time, jobs",
    "tui.errors": "the root of errors that a person can mend, and the tree of all of them",
    "tui.export": "tables, JSON Lines, DICOM images, archives",
    "tui.feed": "what the dashboard and the recorder listen to and ask",
    "tui.pictures": "pictures in a terminal: half blocks, Kitty's protocol",
    "tui.record": "the session on disk: recorder, replay, retention",
    "tui.report": "the page of a session",
    "tui.run": "processes: supervision, engine, recorder, headless, browser",
    "tui.settings": "configuration files",
    "tui.state": "what the dashboard knows: pure functions of messages and time",
    "tui.widgets": "one panel a file",
}
"""What each package, or module beside packages, holds."""


def packages() -> str:
    """Return every package with what it holds and what it imports of ours."""
    found = sorted({package_of(name) for name in SOURCES if "." in name})
    rows = [
        [code(name.replace(".", "/")), HOLDS[name], ", ".join(code(each) for each in RULES.get(name, "").split())]
        for name in sorted(found, key=_floor)
    ]
    return table(["package", "holds", "imports of ours, outside itself"], rows)


def _floor(name: str) -> tuple[int, str]:
    return ("streamer", "pipeline", "tui").index(name.partition(".")[0]), name


BLOCKS: Final[dict[str, Callable[[], str]]] = {"packages": packages}
"""What makes each part, by its name."""
