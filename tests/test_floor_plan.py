"""The floor plan, read from the imports themselves, wherever in a file they stand."""

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("streamer", "pipeline", "tui")

ROOF = {
    f"tui.{name}"
    for name in (
        "cli", "live", "engine_process", "recorder_process", "loading", "analyze", "offline_sink", "demo_command",
        "model_commands", "doctor", "bench_command", "sources_command", "parity_command", "eval_command",
        "calibrate_command", "search_command", "record_commands", "report_command", "export_command", "purge_command",
        "explain_command",
    )
}  # fmt: skip
"""The commands: they may reach down to every floor, inside functions, so that importing them stays cheap."""

LIBRARY_ROOMS = {
    "av": ("pipeline.bench.film", "pipeline.clip_file", "streamer.", "tui.doctor"),
    "cv2": ("streamer.", "pipeline."),
    "highdicom": ("tui.export.secondary_capture",),
    "jinja2": ("tui.report.page",),
    "matplotlib": ("tui.report.",),
    "open_clip": ("pipeline.openclip",),
    "pyarrow": ("tui.export.files",),
    "pydicom": ("streamer.dicom", "streamer.dicom_header", "tui.export.secondary_capture", "tui.export.pacs"),
    "pynetdicom": ("tui.export.pacs",),
    "textual": ("tui.app", "tui.widgets."),
    "torch": ("pipeline.", "tui.doctor"),
    "torchvision": ("pipeline.openclip", "pipeline.preprocess"),
    "zmq": ("pipeline.publisher", "pipeline.control", "tui.feed"),
}


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


SOURCES = dict(modules())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in SOURCES else str(node.module)


IMPORTS = {name: set(imported(ast.parse(path.read_text(encoding="utf-8")))) for name, path in SOURCES.items()}


def among(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room_of(name: str) -> str:
    return name.partition(".")[0]


def allowed(importer: str, name: str) -> bool:
    room = room_of(importer)
    if room_of(name) not in ROOMS or room == room_of(name) or importer in ROOF:
        return True
    return (room, room_of(name)) == ("pipeline", "streamer") or (room == "tui" and name == "pipeline.wire")


@pytest.mark.parametrize("importer", SOURCES)
def test_each_floor_rests_only_on_what_is_below(importer: str) -> None:
    assert [name for name in IMPORTS[importer] if not allowed(importer, name)] == []


@pytest.mark.parametrize("library", LIBRARY_ROOMS)
def test_each_library_has_its_rooms(library: str) -> None:
    rooms = LIBRARY_ROOMS[library]
    users = [name for name, names in IMPORTS.items() if any(among(used, library) for used in names)]
    assert [user for user in users if not any(user.startswith(room) for room in rooms)] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: {used for used in names if used in SOURCES} for name, names in IMPORTS.items()}
    assert tuple(graphlib.TopologicalSorter(graph).static_order())


def test_the_dashboards_floor_loads_neither_torch_nor_cv2_nor_av() -> None:
    names = [name for name in SOURCES if room_of(name) == "tui" and name != "tui.__main__"]
    script = f"""
import importlib, sys
for name in {["pipeline.wire", *names]!r}:
    importlib.import_module(name)
    loaded = {{"torch", "cv2", "av", "open_clip"}} & sys.modules.keys()
    assert not loaded, f"{{name}} loads {{loaded}}"
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", ROOMS)
def test_packages_do_nothing_on_import(room: str) -> None:
    assert (ROOT / room / "__init__.py").read_text(encoding="utf-8") == ""
