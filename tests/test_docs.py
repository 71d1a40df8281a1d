"""The documents say what the code says: links lead somewhere, generated parts are current, and nothing is left out."""

import re
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from docs.generate import BLOCKS, ROOT, names_in, pages, renewed
from docs.markdown import meanings
from docs.tables_of_commands import options_of, parsers
from fetalstream.pipeline.model.config import GestationConstants, ModelConfig, Weights
from fetalstream.pipeline.readout.openset import OpenSet, OperatingPoint
from fetalstream.pipeline.readout.temporal import Temporal
from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.cli import build_parser
from fetalstream.tui.commands import exit_codes
from fetalstream.tui.dashboard.commands import COMMANDS
from fetalstream.tui.run.supervise import EXIT_CRASHED, EXIT_DEVICE
from fetalstream.tui.settings.settings import RetentionSettings, RunSettings, StreamSettings
from fetalstream.tui.state.scan_protocol import Protocol, View
from tests.test_floor_plan import SOURCES

PAGES = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
GUIDE = [name for name in PAGES if name.startswith("docs/")]
README_LINES = 120
FILES = (
    GestationConstants, ModelConfig, OpenSet, OperatingPoint, Protocol, RetentionSettings, RunSettings, StreamSettings,
    Temporal, View, Weights,
)  # fmt: skip
WRITTEN_BY_THE_PROGRAM = {"ModelConfig.folder", "Protocol.name"}
PARSERS = list(parsers(build_parser()))
DEFINED = {
    word
    for name, path in SOURCES.items()
    for word in re.findall(r"^(?:class )?(\w+)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
}


def prose(text: str) -> str:
    """Return a page without its code."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def links(text: str) -> Iterator[str]:
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", prose(text)) if "://" not in link)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    broken: list[str] = []
    for link in links(PAGES[name]):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", GUIDE)
def test_pages_of_the_site_link_to_nothing_outside_it(name: str) -> None:
    assert [link for link in links(PAGES[name]) if link.startswith("..")] == []


@pytest.mark.parametrize("name", PAGES)
def test_generated_parts_are_current(name: str) -> None:
    assert renewed(PAGES[name]) == PAGES[name], "run: make docs"


def test_every_generated_part_stands_in_one_page() -> None:
    assert sorted(each for text in PAGES.values() for each in names_in(text)) == sorted(BLOCKS)


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    readme = PAGES["README.md"]
    assert len(readme.splitlines()) <= README_LINES
    wanted = {*GUIDE, "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff", "examples"} - {"docs/index.md"}
    assert wanted - {link.partition("#")[0] for link in links(readme)} == set()


def test_the_site_s_contents_name_every_page() -> None:
    listed = re.findall(r"^([a-z-]+)$", PAGES["docs/index.md"], re.MULTILINE)
    assert {f"docs/{each}.md" for each in listed} == set(GUIDE) - {"docs/index.md"}


def test_the_site_builds_without_a_network_and_without_a_warning(tmp_path) -> None:
    offline = """
import socket, sys
from sphinx.cmd.build import main
def refuse(*_): raise OSError("the site is built offline")
socket.socket.connect = refuse
sys.exit(main(sys.argv[1:]))
"""
    command = [sys.executable, "-c", offline, "-q", "-W", "--keep-going", "-d", tmp_path / "doctrees"]
    done = subprocess.run([*command, ROOT / "docs", tmp_path / "site"], capture_output=True, text=True, timeout=110)
    assert (done.returncode, done.stderr) == (0, "")
    built = {page.stem for page in (tmp_path / "site").glob("*.html")}
    assert {name.removeprefix("docs/").removesuffix(".md") for name in GUIDE} <= built
    for name in ("commands", "scanning-room"):
        assert NOTICE in (tmp_path / "site" / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({*PAGES} - {"CHANGELOG.md"}))
def test_the_notice_stands_on_every_page(name: str) -> None:
    assert NOTICE in " ".join(PAGES[name].split())


@pytest.mark.parametrize(("command", "parser"), PARSERS, ids=[name for name, _ in PARSERS])
def test_every_command_and_option_is_in_the_reference(command, parser) -> None:
    section = PAGES["docs/commands.md"].partition(f"\n### {command}\n")[2].partition("\n### ")[0]
    assert section
    for option in options_of(parser):
        for word in option.option_strings or [str(option.metavar)]:
            assert word in section


def test_every_exit_code_is_in_the_reference() -> None:
    section = PAGES["docs/commands.md"].partition("## Exit codes")[2].partition("## ")[0]
    for code in (exit_codes.DONE, exit_codes.FAILED, exit_codes.WRONG_USAGE):
        assert f"\n| {code} | " in section
    assert f"ends with {EXIT_CRASHED} after a breakdown and with {EXIT_DEVICE} after" in section


@pytest.mark.parametrize("struct", FILES, ids=lambda each: each.__name__)
def test_every_key_of_a_file_is_documented_with_what_it_means(struct: type[msgspec.Struct]) -> None:
    said = meanings(struct)
    for key in struct.__struct_fields__:
        assert said[key]
        if f"{struct.__name__}.{key}" not in WRITTEN_BY_THE_PROGRAM:
            assert f"| `{key}` |" in PAGES["docs/configuration.md"]


@pytest.mark.parametrize("words", ["The scale is unknown", "UNCALIBRATED", "STALE", "NOT RECORDING", "● REC"])
def test_words_of_the_first_page_are_those_on_the_screen(words: str) -> None:
    assert words in PAGES["docs/scanning-room.md"]
    assert any(words in path.read_text(encoding="utf-8") for name, path in SOURCES.items() if name.startswith("tui."))


def test_every_command_of_the_dashboard_is_documented() -> None:
    documented = re.findall(r"^\| .*?\| (.*?) \|", PAGES["docs/dashboard.md"], re.MULTILINE)
    named = {each.title or re.sub(r"Stream \d", "A stream", each.label) for each in COMMANDS}
    assert named - set(documented) == set()


@pytest.mark.parametrize("name", [*PAGES])
def test_files_that_are_named_exist(name: str) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-zA-Z_-]+\.[a-z0-9]+)`", PAGES[name])
    top = {each.name for each in ROOT.iterdir()}
    assert [each for each in named if each.partition("/")[0] in top and not (ROOT / each).exists()] == []


def test_classes_and_modules_of_the_map_exist() -> None:
    architecture = PAGES["docs/architecture.md"]
    classes = set(re.findall(r"`(?:\w+\.)?([A-Z][a-z]+[A-Z]\w+)`", architecture))
    assert classes
    assert classes - DEFINED == set()
    modules = set(re.findall(r"`(\w+\.py)`", architecture))
    assert modules - {path.name for path in SOURCES.values()} == set()
