"""Pictures of a data set, made ready as the published scripts make them: PIL from the file to the model's square."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from fetalstream.pipeline.errors import ConfigError


class PreparedPicture(NamedTuple):
    """``pixels``: uint8 (S, S, 3), as the model takes them in; ``height`` and ``width`` of the file's picture."""

    pixels: npt.NDArray[np.uint8]
    height: int
    width: int


def read_picture(path: Path, image_size: int) -> PreparedPicture:
    """A picture padded with black to a square, the smaller half at the left and top, and made small.

    The product's own way is within 2/255 of this and much faster; what is compared with published figures goes the
    published way.

    Args:
        path: of the file.
        image_size: S, pixels per side.

    Raises:
        ConfigError: it is missing or cannot be read.
    """
    try:
        with Image.open(path) as file:
            picture = file.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ConfigError(f"{path}: missing, or not an image") from error
    side = max(picture.size)
    square = Image.new("RGB", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    small = square.resize((image_size, image_size), Image.Resampling.BICUBIC)
    return PreparedPicture(np.asarray(small, np.uint8), picture.height, picture.width)
