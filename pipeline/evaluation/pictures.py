"""Pictures of a data set are prepared as in the published scripts: by PIL, from the file to the model's square."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from fetalstream.pipeline.errors import ConfigError


class PreparedPicture(NamedTuple):
    """A picture ready for the model: ``pixels`` uint8 (S, S, 3), and ``height`` and ``width`` of the original."""

    pixels: npt.NDArray[np.uint8]
    height: int
    width: int


def read_picture(path: Path, image_size: int, size: tuple[int, int] | None = None) -> PreparedPicture:
    """Read a picture, pad it with black to a square (the smaller half at the left and top), and resize it.

    `pipeline.model.preprocess` is within 2/255 of this and much faster; figures that are compared with published ones
    use the published preparation.

    Args:
        path: the picture's file.
        image_size: S, pixels per side.
        size: width and height that the picture is stretched to first; None if the file has its own shape.

    Raises:
        ConfigError: the file is missing or cannot be read.
    """
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ConfigError(f"{path}: missing, or not an image") from error
    if size is not None and picture.size != size:
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    side = max(picture.size)
    square = Image.new("RGB", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    small = square.resize((image_size, image_size), Image.Resampling.BICUBIC)
    return PreparedPicture(np.asarray(small, np.uint8), picture.height, picture.width)
