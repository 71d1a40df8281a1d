"""Videos drawn by a seed over codec, container, range, rate, reordering and gaps, against what was encoded."""

import random
from fractions import Fraction

import numpy as np
import pytest

from fetalstream.streamer.readers.files import VideoFile
from tests.streamer.clips import write, yuv420

FULL, LIMITED = 2, 1
KINDS = (
    ("ffv1", "mkv"),
    ("libx264", "mkv"),
    ("libx264", "mp4"),
    ("libx264", "mov"),
    ("libx264", "ts"),
    ("libx264", "flv"),
)
KEEPS_ONE_CLOCK = ("mkv", "mp4", "mov")


def drawn(seed):
    """Returns pictures as they are to be read, when, as what they are encoded, and how."""
    chance, levels = random.Random(seed), np.random.default_rng(seed)
    codec, container = chance.choice(KINDS)
    count, rate, full = chance.randint(6, 14), chance.choice((10, 25, 30, 50)), chance.random() < 0.5
    steps = [chance.choice((1, 1, 1, 2, 3)) for _ in range(count - 1)]
    if container in KEEPS_ONE_CLOCK and chance.random() < 0.3:
        steps[count // 2] = 6 * rate
    pts = [sum(steps[:at]) for at in range(count)]
    size = chance.choice((6, 8)), chance.choice((8, 10))
    stored = [np.kron(levels.integers(16, 236, size), np.ones((8, 8))).astype(np.uint8) for _ in range(count)]
    frames = [yuv420(each, colour_range=FULL if full else LIMITED) for each in stored]
    shown = [each if full else np.clip(np.rint((each - 16.0) * 255 / 219), 0, 255) for each in stored]
    options = {"qp": "0", "bf": chance.choice(("0", "2"))} if codec == "libx264" else {}
    return shown, [at / rate for at in pts], container, frames, {"codec": codec, "rate": rate, "pts": pts, **options}


def compare(seeds, folder):
    for seed in seeds:
        shown, times, container, frames, options = drawn(seed)
        path = write(folder / f"{seed}.{container}", frames, **options)
        with VideoFile(path) as video:
            found = list(video)
        about = f"seed {seed}: {container} {options}"
        assert video.warnings == [], about
        assert len(found) == len(shown), about
        assert [frame.pts_seconds for frame in found] == pytest.approx(times, abs=1.1e-3), about
        assert sum(np.diff(times) > 5) == found[-1].epoch, about
        for frame, expected in zip(found, shown, strict=True):
            assert np.abs(frame.pixels - expected).max() <= 1, about
        path.unlink()


def test_generated_videos_are_read_frame_by_frame_at_their_times(tmp_path):
    compare(range(12), tmp_path)


@pytest.mark.check
def test_three_hundred_generated_videos(tmp_path):
    compare(range(300), tmp_path)


def test_a_pixel_shape_and_a_restart_together_are_one_epoch(tmp_path):
    parts = []
    for aspect in (1, 2):
        frames = [yuv420(np.full((48, 64), 100 + step, np.uint8)) for step in range(6)]
        path = write(tmp_path / f"{aspect}.ts", frames, aspect=Fraction(aspect), bf="0", qp="0")
        parts.append(path.read_bytes())
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    with VideoFile(tmp_path / "both.ts") as video:
        found = [(frame.width, round(frame.pts_seconds, 3), frame.epoch) for frame in video]
    assert found == [
        *((64, step / 10, 0) for step in range(6)),
        *((128, step / 10, 1) for step in range(6, 12)),
    ]
