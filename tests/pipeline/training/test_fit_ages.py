import numpy as np
import pytest

from fetalstream.pipeline.readout.gestation import GRID_DAYS
from fetalstream.pipeline.simulation.exam_run import BrainFrame
from fetalstream.pipeline.simulation.exams import ExamFrame
from fetalstream.pipeline.training.fit_ages import FROM_DAYS, counted_frames, coverage, fit_half_widths, fit_shared


def exam(number, days, error, spread, rng):
    """Six frames at as many zooms, all off by ``error`` and each by ``spread`` of its own."""
    exam = []
    for n in range(6):
        row = -(((GRID_DAYS - round(days + error + rng.normal(0, spread))) / 12.0) ** 2)
        model_info = {"plane_sure": True, "spacing_mm": 0.5 * 1.2**n, "frame_width_mm": 400.0, "aspect": 0.75}
        model_info["repeated"] = False
        exam.append(
            BrainFrame(ExamFrame(number, n, float(days), "brain", 0.5, None, None, None, None, None), row, model_info)
        )
    return exam


@pytest.mark.parametrize(("common", "own", "least", "most"), [(4.0, 0.5, 0.6, 1.0), (0.2, 4.0, 0.0, 0.3)])
def test_what_zooms_share_is_found(common, own, least, most):
    rng = np.random.default_rng(0)
    exams = [exam(n, 120 + n % 120, rng.normal(0, common), own, rng) for n in range(200)]
    days, errors = counted_frames(exams)
    assert len(days) == 1200
    table = fit_half_widths(days, errors)
    share, reached = fit_shared(exams, table)
    assert least <= share <= most
    assert reached == pytest.approx(0.9, abs=0.05)
    assert coverage(exams, table, 1.0) >= coverage(exams, table, 0.0)


def test_the_wider_of_two_and_nothing_from_a_handful():
    days = np.repeat([120.0, 140.0, 160.0], [40, 40, 5])
    errors = np.repeat([3.0, 5.0, 30.0], [40, 40, 5])
    table = dict(fit_half_widths(days, errors, (np.full(30, 120.0), np.full(30, -8.0))))
    # Times 1.1, up to the next half day: 8.8 and 5.5.
    assert table == {0.0: 9.0, 133.0: 5.5, 154.0: 5.5, 180.0: 5.5, 200.0: 5.5, 225.0: 5.5}
    assert tuple(table) == FROM_DAYS
