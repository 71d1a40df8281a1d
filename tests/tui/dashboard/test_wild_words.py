"""Words from outside (names of streams and files, notes, what a picture's file says, an event's detail) are only words:
on the screen, on standard output and error, in the report."""

from __future__ import annotations

import io
import re
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fetalstream.pipeline.wire import Event, ModelState, StreamState
from fetalstream.tui import cli
from fetalstream.tui.commands.report import write_report
from fetalstream.tui.run.headless import StatusLine, summary
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.scan_protocol import Protocol, View
from tests.tui import scan
from tests.tui.bench import Bench, bench
from tests.tui.recorded import Scan
from tests.tui.scan import START, ListFeed

INK, PAPER = (1, 2, 3), (4, 5, 6)  # nothing of ours has these colours
LOADED = (
    "\x1b[2J", "\x1b]0;owned\x07", "\x1b[?1049l", "\x9b31m", "\x9d52;c;aGk=\x9c", "\x1bP+q\x1b\\", "\r", "\n", "\x08",
    "\u202e", "\u2066", "\u200f", "\ufeff", "\ud800", "[#010203 on #040506]", "[/]", "[/b]", "[link=https://a.b]",
    "[@click=app.quit]", "[@click=app.quit]x[/]", "$x", "{x}", "<script>alert(1)</script>", "<b onclick=x>", "&lt;",
    "]]>", "{{7*7}}", "{% raw %}", "$\\frac$", "%s%n", "\\[", "[[", "]", "'\"",
)  # fmt: skip
wild = st.lists(st.one_of(st.sampled_from(LOADED), st.text(max_size=12)), min_size=1, max_size=5).map("".join)


def calm(examples: int) -> settings:
    # Drawing is slow: what fails is shown as it was found, for shrinking it would take minutes.
    return settings(
        deadline=None,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
    )


def obeyed(shown: str, allowed: str = "\n") -> list[str]:
    """The characters that a terminal or a reader's eyes would obey instead of show."""
    return [c for c in shown if unicodedata.category(c).startswith("C") and c not in allowed]


def assert_only_words(b: Bench) -> None:
    assert b.app.is_running
    for strip in b.app.screen._compositor.render_strips(b.app.size):
        assert not obeyed(strip.text, "")
        for segment in strip:
            assert segment.control is None
            style = segment.style
            if style is not None:
                colours = [each.triplet for each in (style.color, style.bgcolor) if each is not None]
                assert not any(each is not None and tuple(each) in (INK, PAPER) for each in colours), segment
                assert style.link is None
                assert "@click" not in style.meta


async def everywhere(b: Bench, words: str) -> None:
    """Wherever words from outside can come in."""
    b.app.protocol = Protocol(title=words, source=words, views=(View(words, "brain"), View(words)))
    b.app.recording = RecordingStatus(Path("/sessions"), words)
    now = b.clock()
    for stream in ("stream-1", words):
        planes = scan.scores((words, "brain", "other"), "brain")
        b.feed.put(scan.reading(now, stream=stream, planes=planes, plane="brain", subplane=words, model=words))
        b.feed.put(scan.health(now, stream=stream, device=words), scan.keyframe(now, "brain", keyframe=words))
        b.feed.put(scan.event(now, "mark", text=words), scan.event(now, words, **{words: words}))
        b.feed.put(scan.event(now, "source_warning", text=words), scan.preview(now, stream=stream), blob=scan.ramp())
    b.feed.refusal = words
    for key in ("", "o", "o s", "b a escape", "v escape", "n escape", "f a enter escape", "y escape"):
        await b.pilot.press(*key.split())
        b.dashboard.all_due()
        b.app.tick()
        await b.pilot.pause()
        assert_only_words(b)
    while len(b.app.screen_stack) > 1:
        await b.app.pop_screen()


@calm(2)
@given(wild)
async def test_on_the_screen(words: str) -> None:
    state = replace(scan.STATE, model=ModelState(name=words), streams=[StreamState(stream=words, kind=words)])
    async with bench(feed=ListFeed(state)) as b:
        await everywhere(b, words)


@calm(50)
@given(wild)
def test_on_the_line_of_a_run_without_a_dashboard(words: str) -> None:
    out = io.StringIO()
    line = StatusLine(out, terminal=False)
    planes = scan.scores((words, "other"), words)
    told = Event(**scan.common(START, stream=words), event="source_warning", detail={"text": words, words: words})
    health = scan.health(START, stream=words, device=words)
    reading = scan.reading(START, words, planes=planes, stream=words, subplane=words, model=words)
    line.take([(each, None) for each in (reading, health, told, scan.keyframe(START, words, stream=words))], START)
    line.update(START)
    assert not obeyed(out.getvalue() + "\n".join(summary(line.session)))
    assert out.getvalue().count("\n") == 3  # the event, the notice, the line: no word made one more


@calm(25)
@given(words=wild.map(lambda words: words.replace("\0", "").replace("/", "")[:60]))
@pytest.mark.parametrize("command", ["report", "replay", "analyze", "export", "unheard-of"])
def test_a_name_of_a_file_on_standard_error(command: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/no such {words.encode(errors='ignore').decode()}"
        try:
            code = cli.main([command, name, "--surely-not"] if command == "export" else [command, name])
        except SystemExit as end:
            code = int(str(end.code))
    said = capsys.readouterr()
    assert code in (1, 2)
    assert not obeyed(said.err + said.out)
    assert "Traceback" not in said.err


@calm(2)
@given(st.lists(wild, min_size=12, max_size=12))
def test_in_the_report(many: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, Scan(Path(folder)) as made:
        made.look("brain", 5)
        for at, words in enumerate(many):
            made.tell("mark", text=words.encode(errors="ignore").decode())
            made.tell(f"unheard-of {at}", text=words.encode(errors="ignore").decode())
        made.store.commit()
        page = write_report(made.store.folder).read_text()
    assert not obeyed(page)
    assert set(re.findall(r"<(\w+)", page)).isdisjoint({"script", "iframe", "object"})
    assert not re.search(r"<[^>]*\son\w+=", page)
