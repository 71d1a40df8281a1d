"""How well two outlines agree."""

import cv2
import numpy as np


def filled(polygon, shape):
    """1 inside, ``shape`` is height and width."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.rint((np.array(polygon) - 0.5) * 16).astype(np.int32)], (1,), shift=4)
    return mask


def overlap(one, other, shape):
    """Intersection over union."""
    a, b = filled(one, shape), filled(other, shape)
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)
