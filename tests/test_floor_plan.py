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
OURS = "fetalstream."

ROOF = ("tui.cli", "tui.commands.", "tui.run.")
"""The command line: it may reach down to every floor, inside functions, so that importing it stays cheap."""

RULES = {
    "pipeline.bench": (
        "pipeline.engine pipeline.inference pipeline.keyframes pipeline.model pipeline.loaded_pipeline pipeline.stream "
        "pipeline.wire streamer.frame streamer.in_process_source streamer.phantom streamer.sources"
    ),
    "pipeline.bus": (
        "pipeline.errors pipeline.keyframes pipeline.model pipeline.loaded_pipeline pipeline.stream "
        "pipeline.wire streamer.frame"
    ),
    "pipeline.engine": (
        "pipeline.errors pipeline.inference pipeline.keyframes pipeline.model pipeline.readout "
        "pipeline.stream pipeline.wire streamer.errors streamer.flow streamer.frame "
        "streamer.region streamer.sources streamer.status"
    ),
    "pipeline.errors": "streamer.errors",
    "pipeline.evaluation": (
        "pipeline.engine pipeline.errors pipeline.inference pipeline.model pipeline.readout pipeline.loaded_pipeline "
        "pipeline.stream pipeline.wire streamer.frame streamer.growth streamer.phantom"
    ),
    "pipeline.explain": "pipeline.bus pipeline.errors pipeline.model pipeline.stream pipeline.wire streamer.frame",
    "pipeline.inference": "pipeline.errors pipeline.model pipeline.readout",
    "pipeline.keyframes": "pipeline.readout pipeline.wire streamer.frame",
    "pipeline.model": "pipeline.errors pipeline.readout",
    "pipeline.readout": "pipeline.wire streamer.frame streamer.growth",
    "pipeline.loaded_pipeline": "pipeline.inference pipeline.model",
    "pipeline.simulation": (
        "pipeline.engine pipeline.errors pipeline.evaluation pipeline.inference pipeline.keyframes "
        "pipeline.model pipeline.readout pipeline.loaded_pipeline pipeline.stream pipeline.wire streamer.frame "
        "streamer.phantom"
    ),
    "pipeline.stream": (
        "pipeline.keyframes pipeline.model pipeline.readout pipeline.wire streamer.frame "
        "streamer.region streamer.signal"
    ),
    "pipeline.training": (
        "pipeline.errors pipeline.evaluation pipeline.model pipeline.readout pipeline.loaded_pipeline "
        "pipeline.simulation pipeline.wire streamer.growth streamer.phantom"
    ),
    "streamer.capture": (
        "streamer.errors streamer.frame streamer.live streamer.region streamer.sources streamer.status"
    ),
    "streamer.dicom": (
        "streamer.errors streamer.frame streamer.given_scale streamer.in_process_source streamer.readers"
    ),
    "streamer.flow": "streamer.frame",
    "streamer.given_scale": "streamer.frame",
    "streamer.in_process_source": "streamer.frame streamer.status",
    "streamer.live": (
        "streamer.errors streamer.frame streamer.given_scale streamer.in_process_source streamer.readers "
        "streamer.status"
    ),
    "streamer.phantom": "streamer.errors streamer.frame streamer.growth streamer.in_process_source",
    "streamer.readers": "streamer.errors streamer.frame streamer.given_scale streamer.in_process_source",
    "streamer.region": "streamer.errors streamer.frame streamer.signal",
    "streamer.signal": "streamer.frame",
    "streamer.source_formats": "streamer.dicom streamer.live streamer.readers",
    "streamer.sources": (
        "streamer.errors streamer.frame streamer.given_scale streamer.live streamer.readers streamer.region "
        "streamer.source_formats streamer.status"
    ),
    "tui.dashboard": "pipeline.wire tui.feed tui.pictures tui.record tui.settings tui.state tui.widgets",
    "tui.export": "pipeline.wire tui.errors tui.record tui.state",
    "tui.feed": "pipeline.wire tui.errors",
    "tui.pictures": "tui.record",
    "tui.record": "pipeline.wire tui.errors tui.feed tui.state",
    "tui.report": "pipeline.wire tui.record tui.state",
    "tui.settings": "pipeline.wire tui.errors tui.state",
    "tui.state": "pipeline.wire tui.errors",
    "tui.widgets": "pipeline.wire tui.pictures tui.state",
}
"""What each package, or module beside packages, may import of ours outside itself; drawn in docs/architecture.md."""

PURE = ("pipeline.readout.", "tui.state.")
"""No sockets, threads, processes, clocks or files, and no model: values and times come in as arguments."""

IMPURE_LIBRARIES = (
    "asyncio", "importlib", "io", "os", "platformdirs", "shutil", "socket", "sqlite3", "subprocess", "tempfile",
    "threading", "time", "torch", "zmq",
)  # fmt: skip

FILE_CALLS = (
    *("exists", "glob", "is_dir", "is_file", "iterdir", "mkdir", "open", "read_bytes", "read_text", "rename", "rglob"),
    *("stat", "unlink", "write_bytes", "write_text"),
)
"""Functions and methods that touch files; a ``Path`` that is only handed on is a value."""

FILES_AT_ONE_LEVEL = 15
MANY_SMALL_FILES = ("tui/commands", "tui/widgets")  # one command, one panel a file

LIBRARY_ROOMS = {
    "av": (
        "pipeline.bench.film",
        "pipeline.keyframes.clip_file",
        "streamer.",
        "tui.commands.doctor",
    ),
    "cv2": ("streamer.", "pipeline."),
    "highdicom": ("tui.export.secondary_capture",),
    "jinja2": ("tui.report.page",),
    "matplotlib": ("tui.report.",),
    "open_clip": ("pipeline.model.openclip",),
    "pyarrow": ("tui.export.files",),
    "pydicom": (
        "streamer.dicom.",
        "tui.export.secondary_capture",
        "tui.export.pacs",
    ),
    "pynetdicom": ("tui.export.pacs",),
    "textual": ("tui.dashboard.app", "tui.widgets."),
    "torch": ("pipeline.", "tui.commands.doctor"),
    "torchvision": ("pipeline.model.openclip", "pipeline.model.preprocess"),
    "zmq": ("pipeline.bus.publisher", "pipeline.bus.control", "tui.feed."),
}


def among(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room_of(name: str) -> str:
    return name.partition(".")[0]


def package_of(name: str) -> str:
    """The package that a module lies in; a module directly in a room stands for itself."""
    return name.rpartition(".")[0] if name.count(".") > 1 else name


def modules() -> Iterator[tuple[str, Path]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


SOURCES = dict(modules())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix(OURS) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = str(node.module)
            assert room_of(module) not in ROOMS, f"wanted {OURS}{module}: a bare room may be a stranger's package"
            module = module.removeprefix(OURS)
            for alias in node.names:
                submodule = f"{module}.{alias.name}"
                yield submodule if submodule in SOURCES else module


IMPORTS = {name: set(imported(ast.parse(path.read_text(encoding="utf-8")))) for name, path in SOURCES.items()}


def allowed(importer: str, name: str) -> bool:
    room = room_of(importer)
    if room_of(name) not in ROOMS or room == room_of(name) or importer.startswith(ROOF):
        return True
    return (room, room_of(name)) == ("pipeline", "streamer") or (room == "tui" and among(name, "pipeline.wire"))


@pytest.mark.parametrize("importer", SOURCES)
def test_each_floor_rests_only_on_what_is_below(importer: str) -> None:
    assert [name for name in IMPORTS[importer] if not allowed(importer, name)] == []


@pytest.mark.parametrize("package", sorted({package_of(name) for name in SOURCES if name.count(".")}))
def test_each_package_imports_only_what_its_rule_names(package: str) -> None:
    if f"{package}.".startswith(tuple(f"{each.removesuffix('.')}." for each in ROOF)):
        return
    used = {
        package_of(each) for name in SOURCES if package_of(name) == package for each in IMPORTS[name] & set(SOURCES)
    }
    assert used - {package} == set(RULES.get(package, "").split())


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of each call: ``read_bytes`` of ``path.read_bytes()``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Attribute, ast.Name)):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id


@pytest.mark.parametrize("package", PURE)
def test_what_is_pure_touches_no_files(package: str) -> None:
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
    calls = {(name, each) for name, tree in trees.items() if name.startswith(package) for each in called(tree)}
    assert {each for each in calls if each[1] in FILE_CALLS} == set()


@pytest.mark.parametrize("package", PURE)
def test_what_is_pure_has_neither_sockets_nor_threads_nor_clocks(package: str) -> None:
    used = {each for name in SOURCES if name.startswith(package) for each in IMPORTS[name]}
    assert {each for each in used if any(among(each, library) for library in IMPURE_LIBRARIES)} == set()


def test_folders_stay_small_enough_to_be_read() -> None:
    for room in ROOMS:
        for folder in (ROOT / room, *(each for each in (ROOT / room).rglob("*") if each.is_dir())):
            if folder.relative_to(ROOT).as_posix() not in MANY_SMALL_FILES:
                files = [each for each in folder.glob("*.py") if each.name != "__init__.py"]
                assert len(files) <= FILES_AT_ONE_LEVEL, folder


def test_packages_do_not_import_each_other_in_a_circle() -> None:
    graph = {package_of(name): set[str]() for name in SOURCES if name.count(".")}
    for name, names in IMPORTS.items():
        if name.count("."):
            graph[package_of(name)] |= {package_of(each) for each in names & set(SOURCES) if each.count(".")}
    assert tuple(graphlib.TopologicalSorter({name: used - {name} for name, used in graph.items()}).static_order())


@pytest.mark.parametrize("library", LIBRARY_ROOMS)
def test_each_library_has_its_rooms(library: str) -> None:
    rooms = LIBRARY_ROOMS[library]
    users = [name for name, names in IMPORTS.items() if any(among(used, library) for used in names)]
    assert [user for user in users if not any(user.startswith(room) for room in rooms)] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: {used for used in names if used in SOURCES} for name, names in IMPORTS.items()}
    assert tuple(graphlib.TopologicalSorter(graph).static_order())


def test_the_dashboards_floor_loads_neither_torch_nor_cv2_nor_av() -> None:
    names = [f"{OURS}{name}" for name in SOURCES if room_of(name) == "tui"]
    script = f"""
import importlib, sys
for name in {["fetalstream.pipeline.wire", *names]!r}:
    importlib.import_module(name)
    loaded = {{"torch", "cv2", "av", "open_clip"}} & sys.modules.keys()
    assert not loaded, f"{{name}} loads {{loaded}}"
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_packages_do_nothing_on_import() -> None:
    for path in SOURCES.values():
        if path.name == "__init__.py" and path != ROOT / "pipeline" / "wire" / "__init__.py":  # that one is a door
            statements = ast.parse(path.read_text(encoding="utf-8")).body
            assert not [each for each in statements if not isinstance(each, ast.Expr)], path
