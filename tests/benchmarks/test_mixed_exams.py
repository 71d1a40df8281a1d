from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.mixed_exams import OTHERS, last_age, mixed
from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.simulation.exam_run import BrainFrame
from tests.pipeline.doubles import FACTS

PIPELINE = SimpleNamespace(model_info=FACTS)


def exam(day, count):
    """Frames whose scores peak at a day, each at a spacing of its own."""
    rows = [100 - ((GRID_DAYS - day) / 10.0) ** 2 for _ in range(count)]
    arguments = {"plane_sure": True, "frame_width_mm": 200.0, "aspect": 0.75}
    return [BrainFrame(SimpleNamespace(true_days=float(day)), row, {**arguments, "spacing_mm": 0.5 + 0.1 * n})
            for n, row in enumerate(rows)]  # fmt: skip


def test_every_fifth_frame_is_the_others():
    own, other = exam(150, 12), exam(200, 2)
    found = mixed(own, other)
    assert [frame for frame in found if frame in own] == own
    strangers = [position for position, frame in enumerate(found) if frame in other]
    assert strangers == [OTHERS, 2 * OTHERS + 1, 3 * OTHERS + 2]
    assert len(strangers) / len(found) == pytest.approx(0.2)


def test_the_others_frames_begin_again_where_they_run_out():
    other = exam(200, 2)
    found = [frame for frame in mixed(exam(150, 16), other) if frame in other]
    assert [other.index(frame) for frame in found] == [0, 1, 0, 1]


def test_fewer_own_frames_than_four_are_not_mixed():
    own = exam(150, 3)
    assert mixed(own, exam(200, 2)) == own


def test_without_frames_there_is_no_age():
    assert last_age([], PIPELINE) is None


def test_rows_are_not_changed_by_mixing():
    own = exam(150, 8)
    before = [frame.row.copy() for frame in own]
    mixed(own, exam(200, 3))
    assert all(np.array_equal(frame.row, row) for frame, row in zip(own, before, strict=True))
