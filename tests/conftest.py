"""Where real ultrasound for tests is found; it never lives in the repository."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# A run that decides whether a change lands tries the same examples each time; at a desk they differ.
hypothesis.settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def test_data() -> Path:
    folder = Path(
        os.environ.get("FETALSTREAM_TEST_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")
    ).resolve()
    if not folder.is_dir():
        pytest.skip("real ultrasound for tests is absent: set FETALSTREAM_TEST_DATA to its folder")
    return folder


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path is short enough for sockets: ``tmp_path`` of parallel runs is not."""
    with tempfile.TemporaryDirectory(prefix="fs-") as folder:
        yield Path(folder)
