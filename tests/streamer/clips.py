"""Small videos made for the tests, with pixels that are known."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT = 64, 48


def patches() -> np.ndarray:
    """Gray ``(48, 64)`` with four flat quarters, so that no codec can blur their middles."""
    picture = np.empty((HEIGHT, WIDTH), np.uint8)
    picture[:24, :32], picture[:24, 32:], picture[24:, :32], picture[24:, 32:] = 16, 90, 160, 235
    return picture


def quarters(pixels: np.ndarray) -> list:
    """The levels in the middles of the four quarters, row by row."""
    height, width = pixels.shape[:2]
    return [pixels[y, x].tolist() for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]


def yuv420(luma: np.ndarray, *, u: int = 128, v: int = 128, colour_range: int = 0) -> av.VideoFrame:
    chroma = luma.size // 4
    planes = np.concatenate([luma.ravel(), np.full(chroma, u, np.uint8), np.full(chroma, v, np.uint8)])
    frame = av.VideoFrame.from_ndarray(planes.reshape(luma.shape[0] * 3 // 2, luma.shape[1]), format="yuv420p")
    frame.color_range = colour_range
    return frame


def write(
    path: Path,
    frames: Sequence[av.VideoFrame],
    *,
    codec: str = "libx264",
    rate: int = 10,
    pts: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    rotation: float | None = None,
    mux_options: dict[str, str] | None = None,
    **codec_options: str,
) -> Path:
    """Writes the frames as a video; ``pts`` counts frame periods."""
    with av.open(str(path), "w", options=mux_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=codec_options or None)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, frames[0].format.name
        stream.color_range = frames[0].color_range
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for index, frame in enumerate(frames):
            frame.pts, frame.time_base = index if pts is None else pts[index], Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def moving(count: int) -> list[av.VideoFrame]:
    """Frames that all differ, with noise enough that a codec spends many bytes on each."""
    rng = np.random.default_rng(5)
    still = rng.integers(20, 230, (HEIGHT, WIDTH), dtype=np.uint8)
    return [yuv420(np.roll(still, 3 * step, axis=1)) for step in range(count)]
