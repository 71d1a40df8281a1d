import itertools

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.bench import naive
from fetalstream.pipeline.bench.film import write
from fetalstream.pipeline.bench.naive import naive_fps
from fetalstream.pipeline.model.textbank import TextBanks
from tests.pipeline.tiny import PROMPTS, tiny_model


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def banks(model):
    return TextBanks(model, PROMPTS, None)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write(path, [np.full((48, 64), level, np.uint8) for level in (40, 90, 140)])
    return path


def test_at_least_one_frame_is_measured_however_short_the_time(model, banks, film):
    assert naive_fps(model, banks, film, 0.0) > 0


def test_the_frame_that_warms_up_is_not_counted(model, banks, film, monkeypatch):
    """The clock is read when the first frame is done, before each later one, and at the end: a second apart here."""
    seconds = itertools.count()
    monkeypatch.setattr(naive.time, "perf_counter", lambda: float(next(seconds)))
    assert naive_fps(model, banks, film, 2.0) == pytest.approx(2 / 3)


def test_a_film_that_is_over_begins_again(model, banks, film, monkeypatch):
    opened = []
    capture = cv2.VideoCapture

    def counted(path):
        opened.append(path)
        return capture(path)

    seconds = itertools.count()
    monkeypatch.setattr(naive.time, "perf_counter", lambda: float(next(seconds)))
    monkeypatch.setattr(naive.cv2, "VideoCapture", counted)
    naive_fps(model, banks, film, 8.0)
    assert len(opened) >= 3
    assert set(opened) == {str(film)}
