import cv2
import numpy as np
import pytest

from fetalstream.pipeline.bus.preview import PreviewMaker, encoded
from fetalstream.pipeline.wire import NOTICE, FrameInfo

FRAME = FrameInfo(index=0, epoch=0, pts_seconds=0.0, captured_ns=0)
MILLISECOND = 1_000_000


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 3), (1, 1)])
def test_a_picture_becomes_a_jpeg_of_its_size_that_carries_the_notice(shape: tuple[int, ...]) -> None:
    pixels = np.full(shape, (200, 100, 50) if len(shape) == 3 else 77, np.uint8)
    jpeg, width, height = encoded(pixels)
    assert NOTICE.encode() in jpeg
    back = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.shape[:2] == shape[:2] == (height, width)
    shown = cv2.cvtColor(back, cv2.COLOR_BGR2RGB) if len(shape) == 3 else back
    assert np.abs(shown.astype(int) - pixels).max() <= 6


def test_a_large_picture_is_shrunk_with_its_aspect() -> None:
    _, width, height = encoded(np.zeros((720, 1280), np.uint8))
    assert (width, height) == (640, 360)


def test_a_stream_has_at_most_so_many_previews_a_second() -> None:
    maker = PreviewMaker(10.0)
    pixels = np.zeros((8, 8), np.uint8)
    made = [maker.update("stream-1", "exam", FRAME, pixels, t * 33 * MILLISECOND) is not None for t in range(91)]
    assert 29 <= sum(made) <= 31  # three seconds
    assert maker.update("stream-2", "exam", FRAME, pixels, 0) is not None


def test_a_pause_is_not_made_up_for() -> None:
    maker = PreviewMaker(10.0)
    pixels = np.zeros((8, 8), np.uint8)
    assert maker.update("stream-1", "exam", FRAME, pixels, 0) is not None
    late = 60_000 * MILLISECOND
    made = [maker.update("stream-1", "exam", FRAME, pixels, late + t * MILLISECOND) is not None for t in range(150)]
    assert sum(made) == 2
