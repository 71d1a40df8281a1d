import subprocess

import pytest

from fetalstream.tui import cli


def printed(shell, capsys):
    assert cli.main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_every_command_is_in_the_script(shell, capsys):
    script = printed(shell, capsys)
    assert [name for name in cli.COMMANDS if name not in script] == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["ana"], ["analyze"]),
        (["demo", "--he"], ["--headless", "--help"]),
        (["models", ""], ["list", "parity", "pull", "verify"]),
        (["analyze", "sc"], ["scan.mp4", "scans"]),
        (["analyze", "scan.mp4", "--out", "sc"], ["scans"]),
        (["report", "sc"], ["scans"]),
    ],
    ids=" ".join,
)
def test_bash_completes_commands_options_and_file_names(words, offered, capsys, tmp_path):
    (tmp_path / "scan.mp4").touch()
    (tmp_path / "scans").mkdir()
    script = printed("bash", capsys) + (
        'COMP_WORDS=(fetalstream "$@"); COMP_CWORD=$#; _shtab_fetalstream; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script, "bash", *words], cwd=tmp_path, capture_output=True, text=True)
    assert sorted(done.stdout.split()) == offered, done.stderr
