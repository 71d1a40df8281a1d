"""Pixels of pictures as libav decodes them: made full range, gray if without colour, square and upright."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from fetalstream.streamer.frame import Pixels
from fetalstream.streamer.readers.container_crop import Crop
from fetalstream.streamer.readers.picture import (
    DisplayMatrix,
    chroma_is_neutral,
    expand_limited,
    gray_where_neutral,
    is_quarter_turn,
    square_pixels,
    upright,
)

_MAX_PIXEL_ASPECT = 4
_HD_HEIGHT = 720

# 8-bit formats whose first plane is luma and whose other planes are chroma: the gray path needs no conversion.
_LUMA_FIRST = {"gray", "nv12", "nv21", "nv16", "nv24"} | {
    f"{family}{layout}p" for family in ("yuv", "yuvj") for layout in (410, 411, 420, 422, 440, 444)
}
_CONVERSION = (
    Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)


@dataclass(frozen=True)
class _View:
    """The shape of a pixel and the orientation of the stored pictures of one size.

    Attributes:
        stored: height and width.
        said: width over height of one pixel as the video says.
        aspect: the same as it is believed.
        matrix: how the pictures are turned; None if they are not.
    """

    stored: tuple[int, int]
    said: Fraction
    aspect: Fraction
    matrix: DisplayMatrix | None


class PixelNormalizer:
    """Makes plain pixels of a stream's pictures.

    Args:
        stream: the stream of the pictures, which says the shape of a pixel.
        warn: takes a line if a picture's own word on its shape cannot be followed.
        crop: what the container says not to show of the stored pictures; None if they are shown whole.
    """

    def __init__(self, stream: VideoStream, warn: Callable[[str], None], crop: Crop | None = None) -> None:
        self._crop = crop
        self._stream = stream
        self._warn = warn
        self._view: _View | None = None

    def pixels(self, picture: VideoFrame, aspect: Fraction | None = None) -> Pixels:
        """Return gray ``(H, W)`` or RGB ``(H, W, 3)``, full range, square pixels, upright.

        Args:
            picture: as it was decoded.
            aspect: width over height of one of its pixels; None if it is the stream's.

        Raises:
            Exception: a damaged header can ask for any format; libav, numpy and OpenCV each fail in their own way.
        """
        aspect = aspect or self._stream.sample_aspect_ratio or Fraction(1)
        if self._view is None or (self._view.stored, self._view.said) != ((picture.height, picture.width), aspect):
            self._view = self._view_of(picture, aspect)
        stored = full_range(picture)
        pixels = square_pixels(stored if self._crop is None else self._crop.of(stored), self._view.aspect)
        return pixels if self._view.matrix is None else upright(pixels, self._view.matrix)

    def _view_of(self, picture: VideoFrame, said: Fraction) -> _View:
        aspect = said
        if not Fraction(1, _MAX_PIXEL_ASPECT) <= aspect <= _MAX_PIXEL_ASPECT:
            self._warn(f"the pixel aspect ratio {aspect} is not believed; the pixels are taken as square")
            aspect = Fraction(1)
        matrix = _display_matrix(picture)
        if matrix is not None and not is_quarter_turn(matrix):
            self._warn("the video is turned by an angle that is no quarter turn; its frames are shown as stored")
            matrix = None
        return _View((picture.height, picture.width), said, aspect, matrix)


def pts_seconds(picture: VideoFrame, stream: VideoStream) -> float | None:
    """Return the time stamp on the source's own clock, seconds; None if there is none."""
    pts = picture.dts if picture.pts is None else picture.pts
    base = picture.time_base or stream.time_base
    return None if pts is None or base is None else float(pts * base)


def _display_matrix(picture: VideoFrame) -> DisplayMatrix | None:
    data_of = cast("SideDataContainer", picture.side_data)  # as PyAV's stubs should say
    try:
        data = data_of["DISPLAYMATRIX"]
    except KeyError:
        return None
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
    return a, b, c, d


def full_range(picture: VideoFrame) -> Pixels:
    """Return gray ``(H, W)`` if the picture is without colour, otherwise RGB ``(H, W, 3)``; 0 to 255."""
    limited = _is_limited(picture)
    luma = _luma_without_chroma(picture)
    if luma is not None:
        return expand_limited(luma) if limited else luma.copy()
    is_rgb = picture.format.is_rgb
    # libav converts the range of YUV only.
    expanded_here = limited and (is_rgb or picture.format.name.startswith(("gray", "ya")))
    hd_without_matrix = picture.colorspace == 2 and picture.height >= _HD_HEIGHT  # 2: AVCOL_SPC_UNSPECIFIED
    converted = picture.reformat(
        format="rgb24",
        interpolation=_CONVERSION,
        src_colorspace=Colorspace.ITU709 if hd_without_matrix and not is_rgb else None,
        src_color_range=ColorRange.MPEG if limited and not expanded_here else ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
    )
    pixels = gray_where_neutral(np.ascontiguousarray(converted.to_ndarray(), dtype=np.uint8))
    return expand_limited(pixels) if expanded_here else pixels


def _is_limited(picture: VideoFrame) -> bool:
    if picture.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return picture.color_range == ColorRange.MPEG
    name = picture.format.name
    return not (picture.format.is_rgb or name.startswith(("gray", "yuvj", "ya", "mono", "pal")))


def _luma_without_chroma(picture: VideoFrame) -> Pixels | None:
    """The luma ``(H, W)`` of a picture that holds no colour, a view of the decoder's memory; None for all others."""
    planes = picture.planes
    # Raw AVI is stored bottom up, which libav says with negative line sizes.
    if picture.format.name not in _LUMA_FIRST or any(plane.line_size <= 0 for plane in planes):
        return None
    interleaved = 2 if len(planes) == 2 else 1
    if all(chroma_is_neutral(_samples(plane, plane.width * interleaved)) for plane in planes[1:]):
        return _samples(planes[0], picture.width)
    return None


def _samples(plane: VideoPlane, width: int) -> Pixels:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, :width]
