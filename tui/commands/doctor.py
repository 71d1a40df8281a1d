"""``fetalstream doctor``: what is installed, what runs here and how fast, and how to get what is missing."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Final, Literal, NamedTuple

from fetalstream.pipeline.wire import NOTICE, runtime_folder
from fetalstream.tui.commands.columns import columns
from fetalstream.tui.commands.exit_codes import DONE, FAILED
from fetalstream.tui.commands.option_parts import Commands, add_command
from fetalstream.tui.run.model_loading import load, versions
from fetalstream.tui.settings.settings import ModelSettings

PROBE_S: Final = 2.0

# A line of Requires-Dist: pydicom>=3.0.2; extra == "dicom"
_OF_EXTRA: Final = re.compile(r"(?P<package>[A-Za-z0-9._-]+).*;.*\bextra *== *[\"'](?P<extra>[^\"']+)")

Verdict = Literal["ok", "note", "wrong"]
_MARKS: Final[dict[Verdict, str]] = {"ok": "ok", "note": "-", "wrong": "!!"}


class Finding(NamedTuple):
    """A line of the report; with the verdict "wrong" fetalstream does not work here, "note" is good to know."""

    what: str
    found: str
    verdict: Verdict = "ok"


def add(commands: Commands) -> argparse.ArgumentParser:
    """Declare the command's options and help."""
    parser = add_command(commands, "doctor", "tell what is installed, what is missing, and how fast it runs here")
    parser.add_argument("--model", metavar="NAME", default="mini", help="measure this one (mini)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the whole report; failed if something that is needed is missing."""
    return DONE if examine(options.model) else FAILED


def examine(model: str) -> bool:
    """Print the report, section by section as it is found; return whether nothing that is needed is missing."""
    complete = True
    sections: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
        ("Software", _software),
        ("Machine", _machine),
        ("Models", _models),
        ("Places", _places),
        ("Terminal", _terminal),
        ("Speed", lambda: _speed(model)),
    ]
    for title, findings in sections:
        found = list(findings())
        print("\n".join([title, *report(found), ""]), flush=True)
        complete = complete and all(finding.verdict != "wrong" for finding in found)
    print("All that is needed is here." if complete else "Something is missing: see the lines marked !!.")
    print(NOTICE)
    return complete


def report(findings: list[Finding]) -> list[str]:
    """Return findings as lines in columns."""
    return columns([(f"  {_MARKS[each.verdict]}", each.what, each.found) for each in findings])


def _software() -> Iterator[Finding]:
    installed = versions()
    yield Finding("fetalstream", f"{installed.pop('fetalstream', 'not installed')}, Python {installed.pop('python')}")
    yield Finding("libraries", ", ".join(f"{name} {installed[name]}" for name in installed if name != "av"))
    import av

    codecs = av.library_versions["libavcodec"]
    yield Finding("video", f"av {installed['av']}, libavcodec {'.'.join(map(str, codecs))}")
    for extra, packages in extras().items():
        missing = [name for name in packages if _version(name) is None]
        if missing:
            found = f"{', '.join(missing)} not here; pip install 'fetalstream[{extra}]'"
            yield Finding(f"extra {extra}", found, "note")
        else:
            found = ", ".join(f"{name} {_version(name)}" for name in packages)
            yield Finding(f"extra {extra}", found or "here; it needs no package")


def extras() -> dict[str, list[str]]:
    """Return the packages of every extra that the installed fetalstream declares."""
    declared = metadata.metadata("fetalstream").get_all("Provides-Extra") or []
    packages: dict[str, list[str]] = {extra: [] for extra in declared}
    for requirement in metadata.requires("fetalstream") or []:
        if (found := _OF_EXTRA.match(requirement)) is not None:
            packages[found["extra"]].append(found["package"])
    return packages


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _machine() -> Iterator[Finding]:
    import psutil
    import torch

    from fetalstream.pipeline.model.loading import multiplies_bf16

    memory_gb = psutil.virtual_memory().total / 2**30
    cores = psutil.cpu_count() or 1
    yield Finding("computer", f"{platform.system()} {platform.machine()}, {cores} cores, {memory_gb:.0f} GB memory")
    how = "bf16, fp32" if multiplies_bf16(torch.device("cpu")) else "fp32 (it multiplies no bf16)"
    yield Finding("processor", f"{torch.backends.cpu.get_cpu_capability()}; large models run in {how}")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(number)
            yield Finding(f"cuda:{number}", f"{about.name}, {about.total_memory / 2**30:.0f} GB")
    else:
        yield Finding("graphics", "no CUDA device that torch can use; everything runs on the processor", "note")


def _models() -> Iterator[Finding]:
    from fetalstream.pipeline.errors import ConfigError
    from fetalstream.pipeline.model.loading import list_models

    try:
        statuses = list_models()
    except ConfigError as error:
        yield Finding("model files", str(error), "wrong")
        return
    for status in statuses:
        if status.path is not None:
            calibrated = "calibrated" if status.calibrated_on else "UNCALIBRATED"
            yield Finding(status.name, f"weights are here, {calibrated}, {status.licence}")
        else:
            bundled = status.weights.startswith("bundled")
            mend = "its weights belong to the package: install it again" if bundled else _pull(status.name)
            yield Finding(status.name, mend, "wrong" if bundled else "note")


def _pull(name: str) -> str:
    return f"weights are not here; get them with: fetalstream models pull {name}"


def _places() -> Iterator[Finding]:
    from fetalstream.pipeline.bus.endpoints import make_private
    from fetalstream.pipeline.errors import ConfigError
    from fetalstream.pipeline.model.config import user_models_folder
    from fetalstream.tui.record.session_files import FULL_DISK_BYTES, LOW_DISK_BYTES, sessions_folder

    sessions = sessions_folder()
    there = next(folder for folder in (sessions, *sessions.parents) if folder.exists())
    free_bytes = shutil.disk_usage(there).free
    verdict: Verdict = "wrong" if free_bytes < FULL_DISK_BYTES else "note" if free_bytes < LOW_DISK_BYTES else "ok"
    if not os.access(there, os.W_OK):
        yield Finding("sessions", f"{sessions} cannot be written; give --record DIR", "wrong")
    else:
        yield Finding("sessions", f"{sessions}, {free_bytes / 1e9:.0f} GB free", verdict)
    try:
        make_private(runtime_folder())
        yield Finding("sockets", str(runtime_folder()))
    except ConfigError as error:
        yield Finding("sockets", str(error), "wrong")
    own = user_models_folder()
    yield Finding("own models", str(own) if own.is_dir() else f"{own} (not there; model files go here)", "ok")


def _terminal() -> Iterator[Finding]:
    if not sys.stdout.isatty():
        yield Finding("terminal", "this is none; the dashboard needs one, --headless does not", "note")
        return
    from rich.console import Console

    console = Console()
    size, colours = console.size, console.color_system or "none"
    small = size.width < 80 or size.height < 24
    yield Finding("size", f"{size.width} x {size.height}" + (", 80 x 24 is needed" if small else ""),
                  "wrong" if small else "ok")  # fmt: skip
    yield Finding("colours", colours, "ok" if colours in ("truecolor", "256") else "note")
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    yield Finding(
        "characters", "UTF-8" if utf8 else f"{sys.stdout.encoding}: set a UTF-8 locale", "ok" if utf8 else "note"
    )


def _speed(model: str) -> Iterator[Finding]:
    import numpy as np

    from fetalstream.pipeline.errors import ConfigError, ModelError

    try:
        ready = load(ModelSettings(model=model), lambda _: None)
    except (ConfigError, ModelError) as error:
        yield Finding(model, str(error), "wrong")
        return
    from fetalstream.pipeline.inference.encoder import Item

    picture = np.random.default_rng(0).integers(0, 256, (480, 640), dtype=np.uint8)
    ready.encoder.warm_up((1, 8))
    for batch in (1, 8):
        items = [Item(picture)] * batch
        begun_s = time.perf_counter()
        rounds = 0
        while (took_s := time.perf_counter() - begun_s) < PROBE_S / 2:
            ready.encoder.submit(items).result()
            rounds += 1
        rate = f"{rounds * batch / took_s:.0f} frames of 640x480 a second, {batch} at a time"
        yield Finding(ready.model_info.name, f"{rate}, on {ready.model.device} in {str(ready.model.dtype)[6:]}")
