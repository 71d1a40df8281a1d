from fractions import Fraction

import av
import pytest

from fetalstream.streamer.readers.checked_decoder import CheckedDecoder
from tests.streamer.clips import moving, write


def decoded(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"
        decoder = CheckedDecoder(stream)
        pictures = [picture for packet in container.demux(stream) for picture in decoder.decode(packet)]
        return [decoder.aspect(picture) for picture in pictures], decoder.broken


def test_every_picture_has_the_shape_that_the_file_says(tmp_path):
    path = write(tmp_path / "a.mp4", moving(6), aspect=Fraction(4, 3))
    assert decoded(path) == ([Fraction(4, 3)] * 6, 0)


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        ("libx264", {}),
        ("ffv1", {}),
        ("libvpx-vp9", {}),
        ("libx265", {"x265-params": "log-level=none:keyint=8:min-keyint=8:open-gop=1:bframes=3"}),
    ],
)
def test_whole_video_is_not_called_broken(tmp_path, codec, options):
    aspects, broken = decoded(write(tmp_path / "a.mkv", moving(30), codec=codec, **options))
    assert len(aspects) == 30
    assert {aspect or 1 for aspect in aspects} == {1}
    assert broken == 0
