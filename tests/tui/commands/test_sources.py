import json

import pytest

from fetalstream.streamer.live import devices
from fetalstream.streamer.live.devices import Device, Format
from fetalstream.tui.cli import main

CARD = Device(
    "/dev/v4l/by-id/usb-card",
    "HDMI grabber",
    (Format("yuyv", (1920, 1080), 5.0), Format("mjpeg", (1920, 1080), 60.0)),
)


@pytest.fixture
def found(monkeypatch):
    listed = []
    monkeypatch.setattr(devices, "devices", lambda: listed)
    return listed


def test_devices_are_listed_with_what_they_offer(found, capsys):
    found += [CARD, Device("camera:1", "video1", (), "permission denied")]
    assert main(["sources"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "/dev/v4l/by-id/usb-card  HDMI grabber"
    assert lines[1] == "    ?format=yuyv&size=1920x1080&rate=5"
    assert lines[2] == "    ?format=mjpeg&size=1920x1080&rate=60  (taken unless told otherwise)"
    assert lines[3] == "camera:1  video1: permission denied"


def test_no_device_is_said(found, capsys):
    assert main(["sources"]) == 0
    assert "No capture device was found" in capsys.readouterr().out


def test_the_list_for_programs_is_one_line(found, capsys):
    found.append(CARD)
    assert main(["sources", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["devices"][0]["formats"][1] == {"format": "mjpeg", "width": 1920, "height": 1080, "rate_hz": 60.0}
