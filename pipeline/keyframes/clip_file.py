"""A clip as a file: Matroska with a JPEG a frame. The only place that writes video.

Each frame is a baseline JPEG of quality 95, colour not subsampled, with its own time in milliseconds. None is predicted
from others, so any of them can be read alone; and what takes long is done by libjpeg outside of Python's lock: a video
encoder, which is opened and closed under it, would stop the frame loop.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import av
import cv2

from fetalstream.pipeline.keyframes.clip_buffer import RATE_HZ, Cut, Still
from fetalstream.pipeline.wire import NOTICE
from fetalstream.streamer.frame import Pixels

QUALITY: Final = 95
_MILLISECOND: Final = Fraction(1, 1000)
_FULL_COLOUR: Final = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
_JPEG: Final = (cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _FULL_COLOUR)


def matroska(cut: Cut) -> bytes:
    """Return the clip as a Matroska file; its title names the plane, its comment is the notice."""
    return _muxed(cut.stills, {"title": cut.best.plane, "comment": NOTICE, "keyframe": cut.best.keyframe})


def _muxed(stills: Sequence[Still], tags: dict[str, str]) -> bytes:
    file = io.BytesIO()
    height, width = stills[0].pixels.shape[:2]
    began = stills[0].pts_seconds
    with av.open(file, "w", format="matroska") as container:
        stream: Any = container.add_mux_stream("mjpeg", rate=round(RATE_HZ), width=width, height=height)
        stream.time_base = _MILLISECOND
        container.metadata.update(tags)
        for still in stills:
            packet = av.Packet(_jpeg(still.pixels))
            packet.stream, packet.time_base, packet.is_keyframe = stream, _MILLISECOND, True
            packet.pts = packet.dts = round((still.pts_seconds - began) * 1000)
            container.mux(packet)
    return file.getvalue()


def _jpeg(pixels: Pixels) -> bytes:
    interleaved = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", interleaved, _JPEG)[1].tobytes()
