"""The wheel carries all that it needs, and every version is pinned without saying where it is from."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ("streamer", "pipeline", "tui", "configs", "prompts")
CARRIED = ("README.md", "LICENSE", "NOTICE", "CHANGELOG.md", "constraints.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with an sdist and the wheel made from it; built from a copy, since setuptools leaves files behind."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("fetalstream", *SHIPPED, "pyproject.toml", "MANIFEST.in", *CARRIED):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / "dist"


@pytest.fixture(scope="module")
def wheel(built):
    (found,) = built.glob("*.whl")
    return found


def test_the_sdist_carries_files_and_not_links_and_no_half_of_the_tests(built):
    (found,) = built.glob("*.tar.gz")
    with tarfile.open(found) as sdist:
        members = sdist.getmembers()
    assert all(member.isfile() or member.isdir() for member in members)
    names = {member.name.partition("/")[2] for member in members}
    assert {"fetalstream/pipeline/wire/__init__.py", "pyproject.toml", *CARRIED} <= names
    assert not any(name.startswith("tests") for name in names)


def test_the_wheel_carries_every_file_that_is_needed_at_run_time(wheel):
    carried = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        f"fetalstream/{path.relative_to(ROOT).as_posix()}"
        for room in SHIPPED
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert needed <= carried
    top = {name.partition("/")[0] for name in carried}
    assert {name for name in top if not name.endswith(".dist-info")} == {"fetalstream"}
    licences = {name.partition("licenses/")[2] for name in carried if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_it_works_from_the_wheel_beside_strangers_of_the_rooms_names(wheel, tmp_path):
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    zipfile.ZipFile(wheel).extractall(installed)
    elsewhere.mkdir()
    for name in SHIPPED:
        for folder in (installed, elsewhere):  # another distribution's, and the user's own
            (folder / name).mkdir()
            (folder / name / "__init__.py").write_text(f"raise ImportError('a stranger: {name}')")
    script = """
import fetalstream.pipeline.model.config as config, fetalstream.pipeline.model.prompts as prompts
assert "installed" in config.__file__, config.__file__
assert len(prompts.load_prompts(config.load_model_config("mini").prompts_folder).planes) == 9
"""
    for arguments in (["-c", script], ["-m", "fetalstream", "models", "list"], ["-m", "fetalstream", "--version"]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=110,
        )
        assert done.returncode == 0, done.stderr
        assert "models" not in arguments or "fetalclip" in done.stdout
        assert "--version" not in arguments or PROJECT["project"]["version"] in done.stdout.split()


def pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def name_of(requirement):
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")


def test_every_version_is_exact_and_says_nothing_of_where_it_is_from():
    for line in pinned():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line), line


def test_everything_that_is_asked_for_is_pinned():
    groups = [*PROJECT["dependency-groups"].values(), *PROJECT["project"]["optional-dependencies"].values()]
    asked = [*PROJECT["project"]["dependencies"], *(each for each in itertools.chain(*groups) if isinstance(each, str))]
    assert {name_of(each) for each in asked} - {name_of(line) for line in pinned()} == set()


def test_what_the_notice_says_of_bundled_libraries_is_of_the_pinned_versions():
    pins = dict(line.split("==") for line in pinned())
    said = re.findall(r"\b([a-z][a-z-]+) (\d+\.[\d.]+) \(", (ROOT / "NOTICE").read_text(encoding="utf-8"))
    assert {"av", "opencv-python-headless", "numpy", "torch", "pyzmq"} <= {name for name, _ in said}
    assert {name: version for name, version in said if pins[name] != version} == {}


def test_the_newest_part_of_the_changelog_is_of_this_version():
    heads = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert heads[0] == ("Unreleased", "")
    assert heads[1][0] == PROJECT["project"]["version"]
    assert [date for _, date in heads[1:]] == sorted((date for _, date in heads[1:]), reverse=True)


def test_ci_runs_what_a_person_runs():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == ["make test", "make check"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_image_runs_without_root_rights_and_is_built_from_what_the_wheel_needs():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    said = [line.partition(" ")[::2] for line in lines if re.match(r"[A-Z]+ ", line)]
    assert [value for word, value in said if word == "USER"] == ["1000"]
    assert dict(said)["ENTRYPOINT"] == json.dumps(list(PROJECT["project"]["scripts"]))
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert let_in == {"fetalstream", *SHIPPED, "pyproject.toml", "MANIFEST.in", *CARRIED}
