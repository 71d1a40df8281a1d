"""The phantom must not be easy: what recognises it has to have learnt more than where the light is."""

import cv2
import numpy as np
import pytest

from fetalstream.streamer.phantom.source import PhantomSource


def _thumbnail(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()


def _examples(seeds: range, every: int) -> tuple[np.ndarray, list[str]]:
    pictures, labels = [], []
    for seed in seeds:
        source = PhantomSource(seed)
        for index in range(seed % every, 1800, every):
            if (label := source.truth(index).label) is not None:
                pictures.append(_thumbnail(source.frame(index).pixels))
                labels.append(label)
    return np.stack(pictures), labels


@pytest.mark.check
def test_a_nearest_neighbour_on_thumbnails_fails():
    known, names = _examples(range(1_000_000, 1_000_012), 45)
    asked, truth = _examples(range(7, 10), 45)
    nearest = ((known[None] - asked[:, None]) ** 2).sum(axis=2).argmin(axis=1)
    assert np.mean([names[n] == t for n, t in zip(nearest, truth, strict=True)]) <= 0.80
