"""A scripted engine, and where its sessions go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fetalstream.pipeline.bus.endpoints import endpoints_in
from tests.scripted_engine import ScriptedEngine


@pytest.fixture
def engine(short_path: Path) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(endpoints_in(short_path)) as engine:
        yield engine


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sessions"
