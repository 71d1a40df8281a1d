import numpy as np
import pytest

from fetalstream.pipeline.errors import ConfigError
from fetalstream.pipeline.evaluation.ages import HC18_FRAME, AgeRows, age_metrics, half_widths_of, read_sizes, readouts
from fetalstream.pipeline.evaluation.scores_file import load_scores
from fetalstream.pipeline.evaluation.vpr import is_valid


@pytest.fixture(scope="module")
def published(test_data):
    scores = load_scores(test_data / "fetalclip_hc18_dot_products.pt")
    files, width_mm = read_sizes(test_data / "hc18_sizes.csv")
    aspect = np.full(len(files), HC18_FRAME[1] / HC18_FRAME[0])
    return AgeRows(scores.rows, tuple(files), scores.hc_mm, width_mm, aspect)


def test_the_published_scores_give_the_published_figure_and_the_mask_only_helps(published):
    metrics = age_metrics(published)
    assert round(metrics["vpr"].value * 814) == 679
    assert round(metrics["vpr_masked"].value * 814) >= 694
    plain, masked, _ = readouts(published)
    counted = (published.hc_mm >= 100) & (published.hc_mm <= 342)
    was, now = (
        np.array([is_valid(day, hc) for day, hc in zip(days, published.hc_mm, strict=True)]) for days in (plain, masked)
    )
    assert not (counted & was & ~now).any()


def test_the_confident_half_is_right(published):
    metrics = age_metrics(published)
    assert metrics["vpr_selective"].value >= 0.95
    assert metrics["coverage"].value >= 0.50
    assert metrics["vpr"].low < metrics["vpr"].value < metrics["vpr"].high


def test_a_table_that_is_none_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_sizes(tmp_path / "absent.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match="filename"):
        read_sizes(tmp_path / "other.csv")


def test_half_widths_follow_the_table():
    table = ((0.0, 6.0), (133.0, 7.0), (200.0, 16.0))
    assert half_widths_of([100, 133, 199.9, 260], table).tolist() == [6.0, 7.0, 7.0, 16.0]
