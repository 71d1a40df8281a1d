import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.tui import cli
from fetalstream.tui.export.identity import Identity, read_identity


@pytest.mark.parametrize(
    "wrong",
    [
        {"patient_id": "a\\b"}, {"patient_id": "x" * 65}, {"patient_name": "a=b"}, {"patient_name": "a^b^c^d^e^f"},
        {"patient_birth_date": "19900231"}, {"patient_birth_date": "1990-02-03"}, {"accession": "x" * 17},
        {"study_uid": "1.02.3"}, {"study_uid": "1"}, {"study_uid": "1." + "2" * 64}, {"nobody": "x"},
    ],
)  # fmt: skip
def test_what_dicom_does_not_allow_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Identity)


@given(st.text(max_size=70))
def test_no_name_breaks_out_of_its_value(text):
    try:
        name = Identity(patient_name=text).patient_name
    except ValueError:
        return
    assert name is not None
    assert not set(name) & set("\\=\0\n\r\x1b")


def test_identifiers_come_from_a_file_too(tmp_path, capsys):
    path = tmp_path / "who.toml"
    path.write_text('patient_id = "P-1"\npatient_name = "Doe^Jane"\n')
    assert read_identity(path) == Identity(patient_id="P-1", patient_name="Doe^Jane")
    path.write_text('patient = "x"\n')
    for file in (path, tmp_path / "nowhere.toml"):
        with pytest.raises(ValueError, match="toml"):
            read_identity(file)
        assert cli.main(["export", str(tmp_path), "--out", str(tmp_path / "o"), "--identity", str(file)]) == 1
        assert file.name in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [], ["--format", "dicom"], ["--pacs", "host"], ["--pacs", "host:0"], ["--pacs", "h:1", "--format", "csv"],
        ["--out", "x", "--format", "xml"], ["--out", "x", "--exam", "0"], ["--out", "x", "--ae-title", "x" * 17],
    ],
)  # fmt: skip
def test_wrong_usage_is_code_2(argv, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", "session", *argv])
    assert ended.value.code == 2
    assert "usage: fetalstream" in capsys.readouterr().err
