"""Spoiled videos and DICOM files, read as the engine reads them: through the child process."""

import gc
import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from fetalstream.streamer.capture.subprocess_source import SubprocessSource
from fetalstream.streamer.errors import SourceError
from tests.streamer.clips import moving, write
from tests.streamer.dicom.test_clip import region, written
from tests.streamer.mutations import spoiled

LONGEST_S = 60.0  # a child that is silent for so long is ended, see PATIENT_TICKS; the rest is its start
ENOUGH = 60  # frames of one file
GROWN_BYTES = 20 << 20


@pytest.fixture(scope="module")
def originals(tmp_path_factory, request):
    """Small files of many kinds made here, and the real ones where they are at hand; their bytes and suffixes."""
    folder = tmp_path_factory.mktemp("whole")
    for name, codec in (("a.mp4", "libx264"), ("b.mkv", "libx264"), ("c.ts", "libx264"), ("d.avi", "mjpeg"),
                        ("e.mkv", "ffv1"), ("f.mpg", "mpeg2video"), ("g.mp4", "mpeg4")):  # fmt: skip
        write(folder / name, moving(24), codec=codec, rate=25, strict="unofficial")
    written(folder / "h.dcm", [region()], frames=6)
    try:
        real = request.getfixturevalue("test_data")
    except pytest.skip.Exception:
        real = folder / "absent"
    paths = [*sorted(folder.iterdir()), *sorted(real.glob("dicom/*.dcm")), *sorted(real.glob("video/*.mp4"))]
    videos = [(path.read_bytes(), path.suffix) for path in paths if path.suffix != ".dcm"]
    return videos, [(path.read_bytes(), path.suffix) for path in paths if path.suffix == ".dcm"]


def read(path):
    """Frames, what was said at the end, and the seconds it took; anything but a SourceError fails the test."""
    begun_s, count, said = time.monotonic(), 0, ""
    try:
        with SubprocessSource(str(path)) as source:
            for _ in source:
                count += 1
                if count == ENOUGH:
                    break
    except SourceError as error:
        said = str(error)
        assert "\n" not in said
    return count, said, time.monotonic() - begun_s


def read_spoiled(folder, originals, seed):
    files = originals[seed % 2]
    whole, suffix = random.Random(seed).choice(files)
    path = folder / f"{seed}{suffix}"
    path.write_bytes(spoiled(whole, seed))
    found = read(path)
    path.unlink()
    return found


@pytest.mark.parametrize("files", [12, pytest.param(400, marks=[pytest.mark.check, pytest.mark.timeout(1200)])])
def test_spoiled_files_are_read_or_refused(tmp_path, originals, files):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: read_spoiled(tmp_path, originals, seed), range(files)))
    assert sum(count > 0 for count, _, _ in found) > files / 5
    assert any(said for _, said, _ in found)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_two_thousand_spoiled_files_neither_crash_nor_hang_nor_stay_in_memory(tmp_path, originals):
    process, before = psutil.Process(), (threading.active_count(), psutil.Process().num_fds())
    found, held = [], 0
    for seed in range(1000, 3000):
        found.append(read_spoiled(tmp_path, originals, seed))
        if seed == 1199:
            gc.collect()
            held = process.memory_info().rss
    gc.collect()
    grown = process.memory_info().rss - held
    died = [said for _, said, _ in found if "died" in said or "capture" in said]
    logging.getLogger(__name__).info(
        "%d read, %d refused, %d ended a child (%s); the longest took %.1f s; grown by %.1f MB",
        sum(count > 0 for count, _, _ in found), sum(count == 0 for count, _, _ in found), len(died),
        sorted({said.partition(";")[0] for said in died}), max(seconds for *_, seconds in found), grown / 1e6,
    )  # fmt: skip
    assert max(seconds for *_, seconds in found) <= LONGEST_S
    assert grown <= GROWN_BYTES
    assert (threading.active_count(), process.num_fds()) == before
    assert not process.children()
