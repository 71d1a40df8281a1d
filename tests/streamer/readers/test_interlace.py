from fractions import Fraction

import av
import numpy as np

from fetalstream.streamer.readers.interlace import CombMeter, Deinterlacer, is_combed
from tests.streamer.clips import yuv420


def moment(shift):
    """Gray (240, 320): a bright disc on a textured ground."""
    rows, columns = np.mgrid[0:240, 0:320]
    ground = 60 + 20 * np.sin(columns / 7) * np.sin(rows / 5)
    return np.where((columns - 100 - shift) ** 2 + (rows - 120) ** 2 < 60**2, 200, ground).astype(np.uint8)


def woven(shift):
    """Even rows of one moment, odd rows of the next."""
    picture = moment(shift)
    picture[1::2] = moment(shift + 8)[1::2]
    return picture


def test_the_comb_of_two_moments_is_seen_and_speckle_is_not():
    rng = np.random.default_rng(2)
    assert is_combed(woven(0))
    assert not is_combed(moment(0))
    assert not is_combed(rng.integers(0, 255, (240, 320), dtype=np.uint8))
    assert not is_combed(np.zeros((4, 4), np.uint8))


def test_one_odd_picture_is_not_enough():
    meter = CombMeter()
    assert not any(meter.update(woven(0) if index == 0 else moment(index)) for index in range(60))
    meter = CombMeter()
    assert [meter.update(woven(index)) for index in range(60)].index(True) == 30


def test_real_scans_are_not_taken_for_interlaced(test_data):
    for path in sorted((test_data / "video").glob("*.mp4")):
        with av.open(str(path)) as container:
            found = [
                is_combed(frame.to_ndarray(format="gray"))
                for frame, _ in zip(container.decode(video=0), range(20), strict=False)
            ]
        assert sum(found) <= 2, path.name


def test_bwdif_takes_the_comb_out():
    out = []
    with av.open("/dev/null", "w", format="null") as container:
        stream = container.add_stream("rawvideo", rate=25)
        stream.time_base = Fraction(1, 25)
        deinterlacer = Deinterlacer(stream)
        for index in range(6):
            frame = yuv420(woven(16 * index))
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out += [found.to_ndarray(format="gray") for found in deinterlacer.update(frame)]
    assert len(out) == 5
    assert out[2].shape == (240, 320)
    assert is_combed(woven(32))
    assert not is_combed(out[2])
