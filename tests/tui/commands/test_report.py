"""The page as a whole; in a browser it is opened in ``test_report_in_browser.py``."""

import hashlib
import re
import stat
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui import cli
from fetalstream.tui.commands.report import growth_context, write_report
from fetalstream.tui.record.replay import RecordingError
from fetalstream.tui.settings.scan_protocols import read_protocol
from tests.tui import scan
from tests.tui.recorded import HOSTILE, Scan, png, recorded


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("sessions"))


@pytest.fixture(scope="module")
def page(session):
    path = write_report(session)
    assert path == session / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text()


def test_the_notice_stands_above_and_below(page):
    assert page.index(NOTICE) < page.index("<main>")
    assert page.rindex(NOTICE) > page.index("</main>")


def test_it_says_what_the_session_says(page):
    words = " ".join(" ".join(Page(page).words).split())
    told = (
        "20w3d", "90% interval 19w1d to 21w5d", "2 of 9 views", "UNCALIBRATED", "0.41", "taken by the operator",
        "Decision 1: accept brain", "Decision 2: reject femur", "0.210 mm per pixel (phantom)", "Picture frozen",
        "The picture was not saved", "weights, SHA-256", "8 dropped, 2 failed",
    )  # fmt: skip
    assert [each for each in told if each not in words] == []


def test_views_of_a_protocol_that_the_model_cannot_judge_are_listed(session, tmp_path):
    out = tmp_path / "page.html"
    assert write_report(session, out, protocol=read_protocol("isuog-midtrimester")) == out
    text = out.read_text()
    assert "not assessable" in text
    assert "Salomon" in text


def test_nothing_is_fetched_run_or_styled_from_elsewhere(page):
    read = Page(page)
    assert {"script", "iframe", "object", "embed", "form", "base"} & set(read.tags) == set()
    for tag, name, value in read.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name != "style", (tag, value)
        if name in ("src", "href", "xlink:href", "action", "srcset"):
            assert value.startswith(("data:", "#")), (tag, name, value[:80])
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", page)
    css = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    summed = b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = next(value for tag, name, value in read.attributes if tag == "meta" and "default-src" in (value or ""))
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{summed}'; base-uri 'none'; form-action 'none'"
    )


def test_hostile_words_are_words(page):
    assert "<script" not in page
    assert "onerror=alert(1)&gt;" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
    assert "{{7*7}}" in page
    assert "\x1b" in HOSTILE


def test_no_name_of_a_patient_or_file_is_in_it(page):
    assert "Jane" not in page
    assert "mp4" not in page


def test_a_map_stands_beside_its_frame(session, tmp_path):
    assert "class activation map" not in write_report(session, tmp_path / "without.html").read_text()
    (session / "maps").mkdir()
    (session / "maps" / f"{'a' * 32}.png").write_bytes(png(9))
    assert "class activation map of brain" in write_report(session, tmp_path / "with.html").read_text()


def test_runners_up_and_clips_are_told_of_beside_the_best_frame(tmp_path):
    with Scan(tmp_path) as made:
        made.look("brain", 30)
        for number, (key, score, section) in enumerate((("a", 0.6, "trans-ventricular"), ("b", 0.4, "trans-thalamic"))):
            moment = scan.frame(made.now_ns, 100 * number)
            made.keep(key * 32, "brain", score, png(number), subplane=section, frame=moment, rank=number)
    clip = made.store.folder / "clips" / f"{'a' * 32}.mkv"
    clip.parent.mkdir()
    clip.write_bytes(b"")
    text = write_report(made.store.folder).read_text()
    assert "thalamic, 0.40, at 0:03" in text
    assert text.count("data:image/jpeg") == 2
    assert f"clips/{'a' * 32}.mkv" in text
    assert f"clips/{'b' * 32}.mkv" not in text


def test_the_views_are_those_that_were_collected_unless_others_are_named(tmp_path):
    with Scan(tmp_path) as made:
        made.look("brain", 3)
        made.tell("protocol", protocol="isuog-midtrimester")
        made.tell("protocol", protocol="fasp-20-week")
    folder = str(made.store.folder)
    assert cli.main(["report", folder]) == 0
    assert "FASP" in (made.store.folder / "report.html").read_text()
    assert cli.main(["report", folder, "--protocol", "isuog-midtrimester"]) == 0
    assert "FASP" not in (made.store.folder / "report.html").read_text()
    with Scan(tmp_path / "gone") as made:
        made.look("brain", 3)
        made.tell("protocol", protocol="ours-that-is-not-here")
    assert cli.main(["report", str(made.store.folder)]) == 0


def test_a_session_that_is_being_written_is_told_of_too(tmp_path):
    with Scan(tmp_path) as made:
        made.look("brain", 5)
        made.store.commit()
        assert "20w3d" in write_report(made.store.folder).read_text()


def test_an_empty_session_says_so(tmp_path):
    with Scan(tmp_path) as made:
        pass
    assert "Nothing was analysed" in write_report(made.store.folder).read_text()


def test_what_is_no_session_is_told_in_one_line(tmp_path, capsys):
    with pytest.raises(RecordingError):
        write_report(tmp_path)
    assert cli.main(["report", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"fetalstream: {tmp_path} is no session: give a folder that holds session.db\n"


def test_the_command_says_where_the_page_is(session, tmp_path, capsys):
    assert cli.main(["report", str(session), "--out", str(tmp_path / "x.html"), "--protocol", "fasp-20-week"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'x.html'}\n"
    assert cli.main(["report", str(session), "--out", str(tmp_path / "nowhere" / "x.html")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_growth_puts_an_age_among_heads():
    context = growth_context(20 * 7)
    assert context.median_mm[context.weeks.index(20.0)] == pytest.approx(context.head_mm)
    assert context.low_days < 20 * 7 < context.high_days
    assert context.intergrowth_days == pytest.approx(20 * 7, abs=7)
    assert context.hadlock_days == pytest.approx(20 * 7, abs=7)


def test_of_many_examinations_the_newest_are_on_the_page_and_the_others_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("fetalstream.tui.commands.report.MOST_EXAMS", 2)
    with Scan(tmp_path) as made:
        for number in range(5):
            made.exam = f"exam-{number}"
            made.look("brain", 1)
    page = write_report(made.store.folder).read_text()
    assert "3 older examinations are not on this page" in page
    assert [f"examination exam-{number}" in page for number in range(5)] == [False, False, False, True, True]
