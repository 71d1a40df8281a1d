"""Best frames as DICOM: read back by pydicom and by dcmtk, judged by dciodvfy, and stored in a real Orthanc."""

import io
import shutil
import stat
import subprocess

import msgspec
import numpy as np
import pytest
from PIL import Image

pydicom = pytest.importorskip("pydicom", reason="the extra [export] is not installed")
pytest.importorskip("highdicom", reason="the extra [export] is not installed")
pytest.importorskip("pynetdicom", reason="the extra [export] is not installed")

from fetalstream.pipeline.wire import NOTICE  # noqa: E402
from fetalstream.streamer.sources import open_source  # noqa: E402
from fetalstream.tui import cli  # noqa: E402
from fetalstream.tui.commands.export import export  # noqa: E402
from fetalstream.tui.export.errors import ExportError  # noqa: E402
from fetalstream.tui.export.identity import Identity  # noqa: E402
from fetalstream.tui.export.wanted import Export, Pacs  # noqa: E402
from tests.tui import scan  # noqa: E402
from tests.tui.export.orthanc import ORTHANC, TITLE, free_port, orthanc  # noqa: E402
from tests.tui.recorded import Scan, png, recorded  # noqa: E402

JANE = Identity(
    patient_id="P-17", patient_name="Doe^Jané", patient_birth_date="19900203", accession="A1", study_uid="1.2.3.4"
)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return recorded(tmp_path_factory.mktemp("sessions"))


def images(folder):
    return {path.stem: pydicom.dcmread(path) for path in (folder / "dicom").iterdir()}


@pytest.fixture(scope="module")
def exported(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    lines = []
    export(session, Export(out=folder, formats=("dicom",), exam=1, identity=JANE), lines.append)
    assert lines == ["1 of 3 frames are left out: their pictures were not saved"]
    return folder


def test_what_stands_for_a_plane_or_was_taken_is_an_image(exported):
    assert sorted(images(exported)) == ["stream-1-01-brain-aaaaaaaa", "stream-1-03-other-eeeeeeee"]
    for path in (exported / "dicom").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_pixels_are_those_of_the_session(exported):
    brain = images(exported)["stream-1-01-brain-aaaaaaaa"]
    assert np.array_equal(brain.pixel_array, np.asarray(Image.open(io.BytesIO(png(1)))))
    assert brain.PhotometricInterpretation == "MONOCHROME2"


def test_colour_is_kept(tmp_path):
    with Scan(tmp_path / "sessions") as made:
        made.look("brain", 2)
        made.keep("b" * 32, "brain", 0.6, png(2, (48, 64, 3)))
    export(made.store.folder, Export(out=tmp_path / "out", formats=("dicom",)))
    (image,) = images(tmp_path / "out").values()
    assert image.PhotometricInterpretation == "RGB"
    assert np.array_equal(image.pixel_array, np.asarray(Image.open(io.BytesIO(png(2, (48, 64, 3))))))


def test_tags_say_what_it_is_and_whose(exported):
    brain = images(exported)["stream-1-01-brain-aaaaaaaa"]
    assert brain.file_meta.MediaStorageSOPClassUID.name == "Secondary Capture Image Storage"
    assert (brain.PatientID, str(brain.PatientName), brain.PatientBirthDate) == ("P-17", "Doe^Jané", "19900203")
    assert (brain.AccessionNumber, brain.StudyInstanceUID, brain.Modality) == ("A1", "1.2.3.4", "US")
    assert NOTICE in brain.SeriesDescription
    assert len(brain.SeriesDescription) <= 64
    assert brain.ImageComments.startswith(NOTICE)
    assert "20w3d (90% interval 19w1d to 21w5d)" in brain.ImageComments
    assert brain.ContentQualification == "RESEARCH"
    assert not brain.PatientOrientation
    assert "mp4" not in str(brain)


@pytest.mark.parametrize(
    ("spacing_mm", "spacing_from", "spacing", "calibration"),
    [(0.21, "ruler", [0.21, 0.21], "FIDUCIAL"), (0.3, "operator", [0.3, 0.3], None), (None, None, None, None)],
)
def test_millimetres_only_where_they_are_known(tmp_path, spacing_mm, spacing_from, spacing, calibration):
    frame = msgspec.structs.replace(scan.frame(0), spacing_mm=spacing_mm, spacing_from=spacing_from)
    with Scan(tmp_path / "sessions") as made:
        made.look("femur", 2)
        made.keep("f" * 32, "femur", 0.6, png(2), frame=frame)
    export(made.store.folder, Export(out=tmp_path / "out", formats=("dicom",)))
    (image,) = images(tmp_path / "out").values()
    assert image.get("PixelSpacing") == spacing
    assert image.get("PixelSpacingCalibrationType") == calibration
    with open_source(str(tmp_path / "out" / "dicom")) as source:
        (read_back,) = source
    assert read_back.spacing_mm == spacing_mm
    assert np.array_equal(read_back.pixels, image.pixel_array)


def test_the_same_export_is_the_same_images_and_another_patients_are_others(session, tmp_path):
    def uids(identity, name):
        export(session, Export(out=tmp_path / name, formats=("dicom",), exam=1, identity=identity))
        return {name: str(image.SOPInstanceUID) for name, image in images(tmp_path / name).items()}

    assert uids(JANE, "one") == uids(JANE, "two")
    assert set(uids(Identity(patient_id="P-18"), "three").values()) & set(uids(JANE, "four").values()) == set()


def test_nobodys_pictures_go_out_under_another_name(session, tmp_path):
    with pytest.raises(ExportError, match="2 examinations: say with --exam"):
        export(session, Export(out=tmp_path / "out", formats=("dicom",), identity=JANE))
    assert not (tmp_path / "out").exists()


def test_no_identifier_is_left_in_the_session(session, exported):
    assert exported
    with pytest.raises(ExportError, match="inside the session"):
        export(session, Export(out=session / "out", formats=("dicom",), exam=1, identity=JANE))
    for path in session.rglob("*"):
        assert path.is_dir() or not any(word in path.read_bytes() for word in (b"P-17", b"Doe^", b"19900203"))


@pytest.mark.parametrize("tool", ["dcmdump", "dciodvfy"])
def test_other_programs_accept_them(exported, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} on this machine: apt install dcmtk dicom3tools")
    for path in (exported / "dicom").iterdir():
        done = subprocess.run([tool, str(path)], capture_output=True, text=True, errors="replace", timeout=60)
        assert done.returncode == 0, done.stderr
        assert "Error" not in done.stdout + done.stderr, done.stderr


@pytest.mark.skipif(ORTHANC is None, reason="no Orthanc on this machine: apt install orthanc")
def test_an_archive_receives_them(session, tmp_path, capsys):
    with orthanc(tmp_path) as archive:
        wanted = ["--exam", "1", "--called-ae", TITLE, "--patient-id", "P-17", "--patient-name", "Doe^Jané"]
        for _ in range(2):  # once more changes nothing
            assert cli.main(["export", str(session), "--pacs", f"127.0.0.1:{archive.port}", *wanted]) == 0
        assert f"2 images stored by {TITLE} at 127.0.0.1:{archive.port}" in capsys.readouterr().err
        (patient,) = archive.get("/patients")
        tags = archive.get(f"/patients/{patient}")["MainDicomTags"]
        assert (tags["PatientID"], tags["PatientName"]) == ("P-17", "Doe^Jané")
        (series,) = archive.get("/series")
        assert NOTICE in archive.get(f"/series/{series}")["MainDicomTags"]["SeriesDescription"]
        stored = [pydicom.dcmread(io.BytesIO(archive.raw(f"/instances/{i}/file"))) for i in archive.get("/instances")]
        assert len(stored) == 2
        (brain,) = [image for image in stored if "plane: brain" in image.ImageComments]
        assert np.array_equal(brain.pixel_array, np.asarray(Image.open(io.BytesIO(png(1)))))
        assert brain.PixelSpacing == [0.21, 0.21]

        with pytest.raises(ExportError, match=r"refuses us .*check --called-ae"):
            export(session, Export(exam=1, pacs=Pacs("127.0.0.1", archive.port, "NOBODY")))


def test_an_archive_that_is_not_there_is_told_in_one_line(session, capsys):
    port = free_port()
    assert cli.main(["export", str(session), "--pacs", f"127.0.0.1:{port}"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"fetalstream: no archive answers at 127.0.0.1:{port} (Connection refused): check --pacs")


def test_a_session_without_pictures_says_so(tmp_path):
    with Scan(tmp_path / "sessions") as made:
        made.look("brain", 2)
    with pytest.raises(ExportError, match="no picture of a best frame"):
        export(made.store.folder, Export(out=tmp_path / "out", formats=("dicom",)))
