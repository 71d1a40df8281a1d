"""A real Orthanc on loopback ports, with a folder and a configuration of its own."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.waiting import until

ORTHANC = shutil.which("Orthanc")
TITLE = "TESTARCHIVE"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Orthanc:
    def __init__(self, dicom_port: int, http_port: int) -> None:
        self.port = dicom_port
        self._http = f"http://127.0.0.1:{http_port}"

    def get(self, path: str) -> Any:
        return json.loads(self.raw(path))

    def raw(self, path: str) -> bytes:
        with urlopen(self._http + path, timeout=30) as answer:
            return bytes(answer.read())

    def answers(self) -> bool:
        try:
            return bool(self.get("/system"))
        except (URLError, ConnectionError):
            return False


@contextmanager
def orthanc(folder: Path) -> Iterator[Orthanc]:
    archive = Orthanc(dicom_port := free_port(), http_port := free_port())
    settings = {
        "Name": "test", "DicomAet": TITLE, "DicomPort": dicom_port, "HttpPort": http_port, "DicomCheckCalledAet": True,
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "storage"), "Plugins": [],
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(ORTHANC), str(folder / "orthanc.json")], stdout=log, stderr=log, cwd=folder)
    try:
        until(lambda: archive.answers() or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield archive
    finally:
        process.terminate()
        process.wait(30)
