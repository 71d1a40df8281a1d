import re
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands import doctor
from fetalstream.tui.commands.doctor import Finding, examine, report
from tests.tui.live_run import environment


@pytest.fixture(autouse=True)
def own_folders(short_path, monkeypatch):
    (short_path / "run").mkdir(mode=0o700)
    for name, value in environment(short_path).items():
        if name.startswith("XDG_"):
            monkeypatch.setenv(name, value)


def findings(section):
    return {finding.what: finding for finding in section()}


def test_findings_line_up_behind_their_marks():
    assert report([Finding("av", "18"), Finding("sessions", "full", "wrong"), Finding("graphics", "none", "note")]) == [
        "  ok  av        18",
        "  !!  sessions  full",
        "  -   graphics  none",
    ]


def test_the_whole_report_ends_with_the_verdict_and_the_notice(capsys):
    well = examine("nobody")
    said = capsys.readouterr().out
    for title in ("Software", "Machine", "Models", "Places", "Terminal", "Speed"):
        assert f"\n{title}\n" in f"\n{said}"
    assert not well
    assert "  !!  nobody  unknown model 'nobody'" in said
    assert said.splitlines()[-2:] == ["Something is missing: see the lines marked !!.", NOTICE]
    assert "fetalstream models pull fetalclip" in said


def test_what_is_installed_only_where_asked_for_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr(doctor, "_version", lambda package: None if package == "pydicom" else "1.0")
    found = findings(doctor._software)
    assert found["extra dicom"] == Finding("extra dicom", "pydicom not here; pip install 'fetalstream[dicom]'", "note")
    assert found["extra web"] == Finding("extra web", "textual-serve 1.0, aiohttp 1.0")
    assert found["extra igtl"] == Finding("extra igtl", "here; it needs no package")


def test_every_extra_of_the_package_is_reported():
    declared = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    names = {
        extra: [re.match(r"[\w.-]+", requirement)[0] for requirement in requirements]
        for extra, requirements in declared["optional-dependencies"].items()
    }
    assert doctor.extras() == names


def test_a_full_disk_is_told(monkeypatch):
    for free_gb, verdict in ((0.5, "wrong"), (3, "note"), (50, "ok")):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free_gb * 1e9: SimpleNamespace(free=free))
        assert findings(doctor._places)["sessions"].verdict == verdict


def test_a_runtime_folder_of_somebody_else_is_told(short_path):
    (short_path / "run" / "fetalstream").write_text("not a folder")
    assert findings(doctor._places)["sockets"].verdict == "wrong"


def test_speed_is_measured_with_what_is_here(monkeypatch):
    class Encoder:
        def warm_up(self, sizes):
            pass

        def submit(self, items):
            return SimpleNamespace(result=lambda: None)

    ready = SimpleNamespace(
        encoder=Encoder(),
        model_info=SimpleNamespace(name="mini"),
        model=SimpleNamespace(device="cpu", dtype="torch.float32"),
    )
    monkeypatch.setattr(doctor, "load", lambda *_: ready)
    monkeypatch.setattr(doctor, "PROBE_S", 0.02)
    found = list(doctor._speed("mini"))
    assert [finding.what for finding in found] == ["mini", "mini"]
    assert all("on cpu in float32" in finding.found for finding in found)
