"""A patient's name that is burned into the screen, and one in the file's name, must not get anywhere.

The screen is the phantom's, with the made-up name of its user interface, and a second one inside the rectangle round
the fan, where only the mask of its outline keeps it out.
"""

import sqlite3

import av
import cv2
import numpy as np
import pytest

from fetalstream.streamer.phantom.source import PhantomSource
from fetalstream.tui import cli
from tests.streamer.clips import write, yuv420

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
        assert cli.main(["explain", str(session)]) == 0
    return session, folder


def pictures(session):
    """Every picture on the disk, gray, by its name: previews, best frames, maps, and each frame of each clip."""
    for path in session.rglob("*"):
        if path.suffix in (".png", ".jpg", ".jpeg"):
            yield path.relative_to(session).as_posix(), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        elif path.suffix == ".mkv":
            with av.open(str(path)) as clip:
                for place, frame in enumerate(clip.decode(video=0)):
                    yield f"{path.relative_to(session).as_posix()}#{place}", frame.to_ndarray(format="gray")


def region(session):
    """The rectangle that frames were cut to, as the session's events tell it."""
    base = sqlite3.connect(session / "session.db")
    text = "\n".join(str(row) for row in base.execute("select * from events"))
    base.close()
    assert "sector_changed" in text, text
    return [int(number) for number in text.split('"sector":"')[1].split('"')[0].split(",")]


def test_there_are_pictures_of_every_kind_and_the_scan_is_in_them(session):
    shown = dict(pictures(session[0]))
    assert {name.split("/")[0] for name in shown} == {"previews", "keyframes", "clips", "maps"}
    assert all(pixels.max() > 60 for pixels in shown.values())


def test_no_pixel_of_a_name_is_in_any_picture(session):
    left, top, width, height = region(session[0])
    assert top > 46  # the user interface's own name ends above
    x, y, wide, high = CORNER
    for name, pixels in pictures(session[0]):
        scale_x, scale_y = pixels.shape[1] / width, pixels.shape[0] / height
        rows = slice(max(0, round((y - top) * scale_y)), round((y + high - top) * scale_y))
        columns = slice(max(0, round((x - left) * scale_x)), round((x + wide - left) * scale_x))
        assert pixels[rows, columns].max(initial=0) < 24, name


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
