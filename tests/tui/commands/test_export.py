from pathlib import Path

import pytest

from fetalstream.tui import cli
from fetalstream.tui.commands import export as module
from fetalstream.tui.export.errors import ExportError
from fetalstream.tui.export.identity import Identity
from fetalstream.tui.export.wanted import Export, Pacs
from tests.tui.commands.parsing import parsed


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, Export]]:
    asked: list[tuple[Path, Export]] = []

    def export(session: Path, wanted: Export) -> list[Path]:
        asked.append((session, wanted))
        return [Path("one.csv"), Path("two.csv")]

    monkeypatch.setattr(module, "export", export)
    return asked


def test_options_become_an_export_and_its_files_are_printed(
    exports: list[tuple[Path, Export]], capsys: pytest.CaptureFixture[str]
) -> None:
    archive = ["--pacs", "pacs.example:104", "--called-ae", " ARCHIVE ", "--ae-title", "US1"]
    argv = ["--out", "out", "--format", "npz, dicom,npz", "--exam", "2", "--patient-id", "P-17", *archive]
    assert cli.main(["export", "session", *argv]) == 0
    assert exports == [
        (
            Path("session"),
            Export(
                out=Path("out"),
                formats=("npz", "dicom"),
                exam=2,
                identity=Identity(patient_id="P-17"),
                pacs=Pacs("pacs.example", 104, "ARCHIVE", "US1"),
            ),
        )
    ]
    assert capsys.readouterr().out == "one.csv\ntwo.csv\n"


def test_an_archive_alone_needs_no_folder(exports: list[tuple[Path, Export]]) -> None:
    assert cli.main(["export", "session", "--pacs", "pacs:104"]) == 0
    assert exports[0][1].out is None


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--format", "dicom"],
        ["--pacs", "pacs:104", "--format", "dicom"],
        ["--out", "out", "--format", "docx"],
        ["--out", "out", "--exam", "0"],
        ["--pacs", "pacs"],
        ["--pacs", "pacs:104", "--called-ae", "a title of more than 16 letters"],
        ["--pacs", "pacs:104", "--ae-title", "BACK\\SLASH"],
    ],
)
def test_wrong_usage_exports_nothing(argv: list[str], exports: list[tuple[Path, Export]]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", "session", *argv])
    assert ended.value.code == 2
    assert exports == []


def test_options_go_before_the_file_of_identifiers(tmp_path: Path) -> None:
    file = tmp_path / "identity.toml"
    file.write_text('patient_id = "from the file"\naccession = "A1"\n')
    options = parsed("export", "session", "--identity", str(file), "--patient-id", "P-17")
    assert module._identity(options) == Identity(patient_id="P-17", accession="A1")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--patient-id", "a\\b"], "patient_id: no backslash or control character"),
        (["--patient-birth-date", "1990"], "patient birth date: wanted YYYYMMDD"),
        (["--identity", "/no/such/file"], "/no/such/file cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_identifier_is_named_in_plain_words(argv: list[str], message: str) -> None:
    with pytest.raises(ExportError) as refused:
        module._identity(parsed("export", "session", *argv))
    assert str(refused.value) == message
