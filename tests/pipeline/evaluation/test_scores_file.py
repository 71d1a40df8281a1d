import numpy as np
import pytest
import torch

from fetalstream.pipeline.errors import ModelError
from fetalstream.pipeline.evaluation.scores_file import load_scores
from fetalstream.pipeline.evaluation.vpr import COUNTED_HC_MM, is_valid
from fetalstream.pipeline.readout.gestation import geometric_mask, reference_readout


class Payload:
    """Would leave a file behind, were the pickle executed."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


@pytest.fixture(scope="module")
def published(test_data):
    path = test_data / "fetalclip_hc18_dot_products.pt"
    if not path.is_file():
        pytest.skip("FetalCLIP's published dot products are absent from the test data")
    return load_scores(path)


def counted(days, hc_mm):
    low, high = COUNTED_HC_MM
    return [is_valid(age, hc) for age, hc in zip(days, hc_mm.tolist(), strict=True) if low <= hc <= high]


def test_the_reference_readout_gives_the_published_figure(published):
    days = [reference_readout(row) for row in published.rows]
    valid = counted(days, published.hc_mm)
    assert (sum(valid), len(valid)) == (679, 814)


def test_the_mask_betters_the_published_figure(published, test_data):
    lines = (test_data / "hc18_sizes.csv").read_text().splitlines()[1:]
    widths_mm = [800 * float(line.split(",")[1]) for line in lines]
    days = [
        reference_readout(geometric_mask(row, frame_width_mm=width, aspect=540 / 800))
        for row, width in zip(published.rows, widths_mm, strict=True)
    ]
    assert 100 * np.mean(counted(days, published.hc_mm)) == pytest.approx(85.1, abs=0.3)


def test_a_file_that_would_run_something_is_refused_unrun(tmp_path):
    target = tmp_path / "ran"
    torch.save([Payload(target)], tmp_path / "scores.pt")
    with pytest.raises(ModelError, match="not a file of saved scores"):
        load_scores(tmp_path / "scores.pt")
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"PK\x03\x04"])
def test_other_files_are_one_line(tmp_path, content):
    path = tmp_path / "scores.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        load_scores(path)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_one_line(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        load_scores(tmp_path / "none.pt")


def test_another_grid_is_refused(tmp_path):
    path = tmp_path / "scores.pt"
    torch.save([{"true_hc": 170.0, "text_dot_prods": np.zeros((1, 168), np.float32)}], path)
    with pytest.raises(ModelError, match="168 scores"):
        load_scores(path)
