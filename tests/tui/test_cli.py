"""The command line as a person meets it: help, errors in one line, exit codes."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui import cli
from fetalstream.tui.commands import doctor
from tests.tui.live_run import environment, few_sentences


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir(mode=0o700)
    for name, value in environment(tmp_path).items():
        if name.startswith("XDG_"):
            monkeypatch.setenv(name, value)


@pytest.fixture
def fails(capsys):
    """Runs a command that must fail, and gives the one line that it says."""

    def run(*argv):
        assert cli.main(argv) == 1
        said = capsys.readouterr()
        assert said.out == ""
        line = said.err.splitlines()[-1]
        assert line.startswith("fetalstream: ")
        assert "Traceback" not in said.err
        return line.removeprefix("fetalstream: ")

    return run


@pytest.fixture
def still(tmp_path):
    folder = tmp_path / "stills"
    folder.mkdir()
    for number in range(3):
        picture = np.random.default_rng(number).integers(0, 200, (48, 64), dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


@pytest.fixture
def few(tmp_path):
    return str(few_sentences(tmp_path / "prompts"))


@pytest.mark.parametrize(
    "argv", [[], *([command] for command in cli.COMMANDS), ["models", "list"], ["models", "pull"], ["eval", "planes"]]
)
def test_every_help_reads_well_and_carries_the_notice(argv, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        cli.main([*argv, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.rstrip().endswith(NOTICE)
    assert max(map(len, text.splitlines())) <= 100
    assert "==SUPPRESS==" not in text


def test_all_commands_are_listed():
    listed = cli.build_parser().format_help()
    assert [command for command in cli.COMMANDS if re.search(rf"^    {command}\s", listed, re.M) is None] == []


def test_each_command_is_the_module_of_its_name():
    folder = Path(cli.__file__).with_name("commands")
    modules = {path.stem for path in folder.glob("*.py") if "\ndef add(commands: " in path.read_text()}
    assert modules == set(cli.COMMANDS)


def test_help_loads_nothing_heavy():
    script = """
import sys
from fetalstream.tui import cli
try:
    cli.main(["--help"])
except SystemExit:
    loaded = {"torch", "cv2", "av", "numpy", "PIL", "zmq", "textual", "sqlite3"} & sys.modules.keys()
    sys.exit(f"loaded {loaded}" if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("words", [[], ["run"], ["models", "pull"]])
def test_help_is_another_way_to_ask_for_help(words, capsys):
    shown = []
    for argv in (["help", *words], [*words, "--help"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(argv)
        assert ended.value.code == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


def test_help_of_no_command_is_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["help", "dance"])
    assert ended.value.code == 2
    assert "invalid choice: 'dance'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [], ["dance"], ["run"], ["analyze"], ["analyze", "x.mp4"], ["demo", "--seconds", "0"], ["demo", "--seed", "-1"],
        ["run", "phantom:3", "--spacing", "nan"], ["run", "phantom:3", "--record", "x", "--no-record"], ["models"],
        ["demo", "--sec", "3"], ["purge"], ["purge", "--keep", "20 apples"], ["purge", "--older-than", "1m", "--yes"],
    ],
)  # fmt: skip
def test_wrong_usage_is_code_2_and_says_how(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2
    assert "usage: fetalstream" in capsys.readouterr().err


def test_what_is_no_endpoint_is_not_waited_for(fails, tmp_path):
    assert "'nowhere' is no endpoint" in fails("record", "nowhere", "--out", str(tmp_path / "out"))


def test_an_option_that_is_none_names_the_help_to_look_at(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "phantom:1", "--protcol", "x\x1b[2J"])
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith("run: not understood: --protcol x[2J; see fetalstream run --help")


def test_without_a_command_all_are_told(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    assert "purge" in capsys.readouterr().err


def test_what_is_no_video_is_refused_before_a_model_is_loaded(fails, tmp_path):
    (tmp_path / "notes.mp4").write_text("not a video")
    assert "notes.mp4" in fails("analyze", str(tmp_path / "notes.mp4"), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_refused(fails, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty" in fails("analyze", str(tmp_path / "empty"), "--out", str(tmp_path / "out"))


def test_what_never_ends_is_not_analysed(fails, tmp_path):
    assert "fetalstream run phantom:3" in fails("analyze", "phantom:3", "--out", str(tmp_path / "out"))


def test_an_unknown_model_is_refused(fails, still, tmp_path):
    line = fails("analyze", str(still), "--out", str(tmp_path / "out"), "--model", "nobody")
    assert "unknown model 'nobody': choose biomedclip, clip, fetalclip" in line
    assert not (tmp_path / "out").exists()


def test_what_is_no_checkpoint_is_refused(fails, still, tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"no weights at all")
    line = fails("analyze", str(still), "--out", str(tmp_path / "out"), "--weights", str(tmp_path / "weights.pt"))
    assert "weights.pt is not a checkpoint" in line


def test_an_engine_that_others_could_reach_is_refused(fails):
    assert "could be reached from outside" in fails("run", "phantom:3", "--headless", "--pub", "tcp://0.0.0.0:5556")


def test_a_busy_port_is_refused(fails):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        assert fails("run", "phantom:3", "--headless", "--no-record", "--pub", endpoint).startswith(
            f"{endpoint} is in use"
        )


def test_a_source_that_is_not_there_ends_a_live_run(fails):
    assert "nothere.mp4" in fails("run", "nothere.mp4", "--headless", "--no-record")


def test_a_wrong_configuration_names_its_field(fails, tmp_path):
    (tmp_path / "c.toml").write_text('[[streams]]\nsource = "phantom:3"\nspacing = 0.2\n')
    assert "spacing" in fails("run", "--config", str(tmp_path / "c.toml"), "--headless")


def test_two_streams_of_one_name_are_refused(fails, tmp_path):
    stream = '[[streams]]\nsource = "phantom:3"\nname = "probe"\n'
    (tmp_path / "c.toml").write_text(stream * 2)
    assert "two streams are called 'probe'" in fails("run", "--config", str(tmp_path / "c.toml"), "--headless")


def test_a_dashboard_needs_a_terminal(fails, tmp_path):
    assert "run it in one" in fails("watch")
    assert "run it in one" in fails("replay", str(tmp_path))


def test_debug_shows_where_an_error_came_from(capsys, tmp_path):
    for argv in (["--debug", "models", "verify", "nobody"], ["models", "verify", "nobody", "--debug"]):
        assert cli.main(argv) == 1
        said = capsys.readouterr().err
        assert "Traceback" in said
        assert said.splitlines()[-1].startswith("fetalstream: unknown model 'nobody'")


def test_what_nobody_foresaw_is_one_line_too(monkeypatch, capsys):
    def broken(_):
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr(doctor, "run", broken)
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("fetalstream: something unexpected went wrong (ZeroDivisionError: by zero and more)")
    assert said.count("\n") == 1


def test_a_file_that_cannot_be_written_is_named(fails, still, tmp_path):
    assert "No such file" in fails("analyze", str(still), "--jsonl", str(tmp_path / "no" / "x.jsonl"))


def test_analyze_writes_readings_and_a_session(still, few, tmp_path, capsys):
    options = ["--weights", "random", "--prompts", few, "--spacing", "0.2"]
    assert cli.main(["analyze", str(still), *options, "--jsonl", "-", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    readings = [json.loads(line) for line in said.out.splitlines()]
    assert [reading["seq"] for reading in readings] == [0, 1, 2]
    assert {reading["kind"] for reading in readings} == {"reading"}
    assert {reading["notice"] for reading in readings} == {NOTICE}
    assert readings[0]["frame"]["spacing_mm"] == 0.2
    assert str(still) not in said.out
    (session,) = (tmp_path / "out").iterdir()
    assert said.err.rstrip().endswith(f"session {session}")


def test_demo_judges_and_prints_json_last(few, capsys):
    options = ["--seconds", "1", "--seed", "8", "--weights", "random", "--prompts", few]
    assert cli.main(["demo", "--headless", "--json", *options]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["seed"], result["captured"], result["dropped"], result["failed"]) == (8, 30, 0, 0)
    assert result["captured"] == result["analysed"] + result["reused"]


def test_demo_without_a_terminal_tells_in_words(few, capsys):
    assert cli.main(["demo", "--seconds", "0.2", "--weights", "random", "--prompts", few]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Phantom 7, 0.2 s at 30 fps, model mini")
    assert said.rstrip().endswith(NOTICE)


def test_models_are_listed_with_what_to_do(capsys):
    assert cli.main(["models", "list"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["MODEL", "WEIGHTS", "CALIBRATED", "LICENCE", "WHAT", "IT", "IS"]
    assert "fetalstream models pull fetalclip" in said


def test_a_reader_that_leaves_early_is_no_error():
    read, write = os.pipe()
    os.close(read)
    script = "import sys; from fetalstream.tui.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, "models", "list"], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize("command", [["run", "--headless", "--no-record"], ["analyze", "--jsonl", "-"]])
def test_a_depth_without_a_sector_is_refused(command, fails, tmp_path):
    assert "depth_cm goes with a sector" in fails(*command, str(tmp_path), "--depth-cm", "12", "--sector", "whole")
