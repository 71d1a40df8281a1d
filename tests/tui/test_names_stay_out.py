"""A patient's name that is burned into the screen, and one in the file's name, must not get anywhere.

The screen is the phantom's, with the made-up name of its user interface, and a second one inside the rectangle round
the fan, where only the mask of its outline keeps it out.
"""

import sqlite3

import cv2
import numpy as np
import pytest

from streamer.phantom.source import PhantomSource
from tests.streamer.clips import write, yuv420
from tui import cli

NAME = "TESTPATIENT ADA"  # seed 8 draws it at the top
CORNER = (100, 92, 105, 30)  # x, y, width, height of the second one, left of the fan and level with its top
FRAMES = range(330, 390, 4)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    source = PhantomSource(8, screen=True)
    frames = []
    for index in FRAMES:
        screen = source.frame(index).pixels.copy()
        x, y, _, height = CORNER
        cv2.putText(screen, NAME, (x, y + height - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255,), 1)
        frames.append(yuv420((16 + screen.astype(np.uint16) * 219 // 255).astype(np.uint8)))
    clip = folder / "Testpatient Ada 1990-01-01.mp4"
    write(clip, frames, rate=8)
    out = folder / "out"
    log = folder / "log.txt"
    with pytest.MonkeyPatch.context() as patch, log.open("w") as said:
        patch.setattr("sys.stderr", said)
        options = ["--spacing", "0.2", "--out", str(out), "--jsonl", str(folder / "readings")]
        assert cli.main(["analyze", str(clip), *options]) == 0
    (session,) = out.iterdir()
    return session, folder


def pictures(session):
    return [path for path in session.rglob("*") if path.suffix in (".png", ".jpg", ".jpeg")]


def region(session):
    """The rectangle that frames were cut to, as the session's events tell it."""
    base = sqlite3.connect(session / "session.db")
    text = "\n".join(str(row) for row in base.execute("select * from events"))
    base.close()
    assert "sector_changed" in text, text
    return [int(number) for number in text.split('"sector":"')[1].split('"')[0].split(",")]


def test_there_are_pictures_and_the_scan_is_in_them(session):
    shown = pictures(session[0])
    assert shown
    assert all(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).max() > 60 for path in shown)


def test_no_pixel_of_a_name_is_in_any_picture(session):
    left, top, width, height = region(session[0])
    assert top > 46  # the user interface's own name ends above
    x, y, wide, high = CORNER
    for path in pictures(session[0]):
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        scale_x, scale_y = pixels.shape[1] / width, pixels.shape[0] / height
        rows = slice(max(0, round((y - top) * scale_y)), round((y + high - top) * scale_y))
        columns = slice(max(0, round((x - left) * scale_x)), round((x + wide - left) * scale_x))
        assert pixels[rows, columns].max(initial=0) < 24, path.name


def test_no_letter_of_a_name_is_in_any_file(session):
    folder = session[1]
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".mp4"]
    assert len(files) > 3
    for path in files:
        content = path.read_bytes().lower()
        if path.name == "log.txt":  # the person who typed the file's name may read it on the terminal
            continue
        assert b"testpatient" not in content, path.name
        assert b"1990-01-01" not in content, path.name
