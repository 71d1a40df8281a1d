"""The examples, run as a reader of the documents would run them."""

import ast
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from fetalstream.pipeline.bus.endpoints import endpoints_in
from fetalstream.pipeline.model.config import load_model_config
from fetalstream.pipeline.model.prompts import load_prompts
from fetalstream.pipeline.wire import NOTICE, Mark
from fetalstream.tui.settings.scan_protocols import read_protocol
from tests.scripted_engine import ScriptedEngine
from tests.tui.recorded import Scan, png

EXAMPLES = Path(__file__).parents[1] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))


@pytest.fixture
def engine(tmp_path) -> Iterator[ScriptedEngine]:
    with ScriptedEngine(endpoints_in(tmp_path)) as engine:
        yield engine


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_needs_nothing_but_pyzmq_and_is_short(program: Path) -> None:
    source = program.read_text(encoding="utf-8")
    tree = ast.parse(source)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported - set(sys.stdlib_module_names) <= {"zmq", "control_client"}
    assert len(source.splitlines()) <= 45


def test_every_example_is_run_here() -> None:
    said = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.iterdir() if path.is_file() and f'"{path.name}"' not in said] == []


def test_subscribe_prints_readings_with_the_notice(engine) -> None:
    engine.play_in_thread()
    command = [sys.executable, "-u", str(EXAMPLES / "subscribe.py"), engine.endpoints.pub]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    assert line.startswith("reading/stream-1 #")
    assert "brain, 143 days" in line
    assert NOTICE in line


def test_control_client_prints_the_answer(engine) -> None:
    asked = run("control_client.py", engine.endpoints.control, "state")
    assert json.loads(asked.stdout)["run"] == engine.run
    run("control_client.py", engine.endpoints.control, "mark", '{"stream": "stream-1", "text": "here"}')
    assert Mark(stream="stream-1", text="here") in engine.asked


def test_control_client_ends_with_the_engine_s_own_words(engine) -> None:
    refused = run("control_client.py", engine.endpoints.control, "keyframe", '{"keyframe": "none"}')
    assert refused.returncode == 1
    assert "is not kept any more" in refused.stderr


def test_last_keyframe_saves_the_newest_picture_of_the_plane(engine, tmp_path) -> None:
    engine.keyframe("brain")
    newest = engine.keyframe("brain")
    engine.keyframe("femur")
    file = tmp_path / "brain.png"
    said = run("last_keyframe.py", engine.endpoints.control, "brain", file)
    assert NOTICE in said.stdout
    kept = engine.keyframe_store[newest].pixels
    np.testing.assert_array_equal(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), kept)


def test_last_keyframe_says_that_there_is_none(engine, tmp_path) -> None:
    said = run("last_keyframe.py", engine.endpoints.control, "spine", tmp_path / "spine.png")
    assert (said.returncode, said.stderr.strip()) == (1, "no frame of spine is kept yet")


def test_session_to_csv_writes_a_row_for_each_reading(tmp_path) -> None:
    with Scan(tmp_path / "sessions") as scan:
        scan.look("brain", 5)
        scan.look(None, 2)
        scan.keep("k-1", "brain", 0.8, png(1))
        session = scan.store.folder
    run("session_to_csv.py", session, tmp_path / "readings.csv").check_returncode()
    with (tmp_path / "readings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["plane"] for row in rows] == ["brain"] * 5 + [""] * 2
    assert {row["notice"] for row in rows} == {NOTICE}
    assert float(rows[0]["low_days"]) < float(rows[0]["gestation_days"]) < float(rows[0]["high_days"])


def test_the_protocol_can_be_followed_with_the_product_s_own_planes() -> None:
    protocol = read_protocol(str(EXAMPLES / "own-protocol.toml"))
    assert protocol is not None
    known = load_prompts(load_model_config("mini").prompts_folder).planes
    assert {view.plane for view in protocol.views if view.assessable} <= set(known)
    assert any(not view.assessable for view in protocol.views)
