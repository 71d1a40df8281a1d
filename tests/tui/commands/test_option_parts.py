import argparse

import pytest

from fetalstream.pipeline.wire import NOTICE
from fetalstream.tui.commands import option_parts as parts
from tests.tui.commands.parsing import parsed


def parser() -> tuple[parts.Parser, parts.Commands]:
    made = parts.Parser(prog="prog", formatter_class=parts.HelpText)
    made.add_argument("--debug", action="store_true")
    return made, made.add_subparsers(dest="command")


def test_a_command_says_in_its_help_what_it_does_and_what_it_is_for() -> None:
    _, commands = parser()
    added = parts.add_command(commands, "dance", "move to music", "Slowly at first.")
    text = added.format_help()
    assert "Move to music.\n\nSlowly at first.\n" in text
    assert text.rstrip().endswith(NOTICE)


@pytest.mark.parametrize("argv", [["--debug", "dance"], ["dance", "--debug"], ["--debug", "dance", "--debug"]])
def test_debug_is_taken_before_and_after_the_command(argv: list[str]) -> None:
    made, commands = parser()
    parts.add_command(commands, "dance", "move to music")
    assert made.parse_args(argv).debug is True


def test_without_debug_there_is_none() -> None:
    made, commands = parser()
    parts.add_command(commands, "dance", "move to music")
    assert made.parse_args(["dance"]).debug is False


def test_an_error_repeats_arguments_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser()[0].parse_args(["\x1b[31mred\u202e"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "red" in said
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_an_error_repeats_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser()[0].parse_args(["rtsp://user:secret@host/path"])
    assert "secret" not in capsys.readouterr().err


@pytest.mark.parametrize(("argv", "folder"), [([], None), (["--record", "there"], "there"), (["--no-record"], "")])
def test_where_to_record(argv: list[str], folder: str | None) -> None:
    assert parts.recording_of(parsed("demo", *argv)) == folder


@pytest.mark.parametrize(
    "argv",
    [
        ["--spacing", "0.2", "--depth-cm", "9"],
        ["--sector", "auto", "--profile", "room-2"],
        ["--record", "x", "--no-record"],
        ["--precision", "fp4"],
        ["--pictures", "oil"],
    ],
)
def test_options_that_exclude_each_other_or_do_not_exist_are_wrong_usage(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parsed("run", "a.mp4", *argv)
    assert ended.value.code == 2


def test_a_json_option_may_say_what_it_prints() -> None:
    made = argparse.ArgumentParser()
    parts.json_option(made, "one object")
    assert "one object" in made.format_help()
    assert made.parse_args(["--json"]).json is True
