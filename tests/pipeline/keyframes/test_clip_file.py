import io

import av
import numpy as np
import pytest

from fetalstream.pipeline.keyframes.clip_buffer import Cut, Still
from fetalstream.pipeline.keyframes.clip_file import matroska
from fetalstream.pipeline.wire import NOTICE
from fetalstream.streamer.phantom.source import PhantomSource
from tests.pipeline.keyframes.test_stored_keyframe import taken


def read(data):
    """Times and frames of a clip, and its tags."""
    with av.open(io.BytesIO(data)) as container:
        gray = container.streams.video[0].codec_context.pix_fmt == "gray"
        stills = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="gray" if gray else "rgb24"))
            for frame in container.decode(video=0)
        ]
        return stills, {key.lower(): value for key, value in container.metadata.items()}


def cut(pictures, at=(0.0, 0.04, 0.05, 0.11)):
    stills = [Still(10 + seconds, pixels) for seconds, pixels in zip(at, pictures, strict=True)]
    return Cut(taken(plane="femur"), "exam", stills)


def psnr_db(one, other):
    return 10 * np.log10(255**2 / max(1e-9, np.mean((one.astype(float) - other) ** 2)))


def test_every_frame_comes_back_with_its_time_and_looks_the_same():
    pictures = [frame.pixels for frame, _ in zip(PhantomSource(5), range(4), strict=False)]
    stills, tags = read(matroska(cut(pictures)))
    assert [at for at, _ in stills] == pytest.approx([0.0, 0.04, 0.05, 0.11])
    assert min(psnr_db(got, given) for (_, got), given in zip(stills, pictures, strict=True)) > 45
    assert (tags["title"], tags["comment"]) == ("femur", NOTICE)


def test_colour_keeps_its_sharpness_and_odd_sizes_fit():
    gray = np.random.default_rng(0).integers(60, 90, (33, 47, 1), dtype=np.uint8).repeat(3, axis=2)
    gray[:, ::3] = (200, 40, 40)  # narrow red lines, which subsampled colour would smear
    stills, _ = read(matroska(cut([gray] * 4)))
    assert stills[0][1].shape == gray.shape
    assert psnr_db(stills[0][1], gray) > 33
