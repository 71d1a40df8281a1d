"""``analyze`` with a stand-in for the model; with a real one it runs in ``test_cli.py``."""

import os
import signal
from types import SimpleNamespace

import cv2
import pytest

from fetalstream.pipeline.wire import NOTICE, ModelState
from fetalstream.streamer.errors import SourceError
from fetalstream.tui.commands import analyze as module
from fetalstream.tui.commands.analyze import Interrupted, analyze
from fetalstream.tui.settings.settings import ModelSettings
from tests.pipeline.doubles import FACTS, NOT_FINITE, EncoderDouble, bank, picture


@pytest.fixture(autouse=True)
def double(monkeypatch):
    encoder = EncoderDouble()
    ready = SimpleNamespace(
        encoder=encoder, model_info=FACTS, banks=SimpleNamespace(gestation=bank), model=SimpleNamespace(device="cpu")
    )
    monkeypatch.setattr(module, "load", lambda *_: ready)
    monkeypatch.setattr(module, "model_state", lambda _: ModelState(name="double"))
    return encoder


def stills(folder, number):
    folder.mkdir()
    for index in range(number):
        assert cv2.imwrite(str(folder / f"{index:03}.png"), picture(index, 1, 143))
    return str(folder)


def run(*paths, out=None):
    return analyze(paths, model=ModelSettings(), spacing_mm=2.0, out=out, jsonl=None)


def test_each_file_is_told_of_and_all_together(tmp_path, capsys):
    one, two = stills(tmp_path / "one", 3), stills(tmp_path / "two", 2)
    assert run(one, two, out=tmp_path / "out")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{NOTICE} | UNCALIBRATED"
    assert [line.split(";")[0] for line in said[1:3]] == [f"{one}: 3 frames", f"{two}: 2 frames"]
    assert said[3].startswith("5 frames in ")


def test_a_wrong_name_among_many_is_told_before_anything_is_done(tmp_path, double):
    with pytest.raises(SourceError):
        run(stills(tmp_path / "one", 3), str(tmp_path / "nothing"), out=tmp_path / "out")
    assert double.batches == []
    assert not (tmp_path / "out").exists()


def test_a_file_that_breaks_off_does_not_take_the_others_along(tmp_path, capsys, monkeypatch):
    one, two = stills(tmp_path / "one", 3), stills(tmp_path / "two", 2)
    real = module._opened
    calls = []

    def gone_later(path, opening):
        calls.append(path)
        if calls.count(one) == 2 and path == one:
            raise SourceError(f"{path}: has gone")
        return real(path, opening)

    monkeypatch.setattr(module, "_opened", gone_later)
    assert not run(one, two)
    said = capsys.readouterr()
    assert "has gone" in said.err
    assert f"{two}: 2 frames" in said.out


def test_a_model_whose_output_is_never_finite_is_a_failure_with_the_reason(tmp_path, capsys, double):
    whole = stills(tmp_path / "whole", 2)
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    for index in range(3):
        assert cv2.imwrite(str(spoilt / f"{index:03}.png"), picture(index, NOT_FINITE, 143))
    assert not run(str(spoilt), whole)
    said = capsys.readouterr()
    assert f"{spoilt}: all 3 frames failed: the model's output was not finite" in said.err
    assert f"{whole}: 2 frames" in said.out


def test_an_interruption_keeps_what_was_analysed(tmp_path, monkeypatch):
    folder = stills(tmp_path / "one", 40)

    class Interrupting(EncoderDouble):
        def submit(self, items):
            os.kill(os.getpid(), signal.SIGINT)
            return super().submit(items)

    ready = module.load()
    ready.encoder = Interrupting()
    with pytest.raises(Interrupted, match="is kept"):
        run(folder, out=tmp_path / "out")
    assert ready.encoder.batches != []
    (session,) = (tmp_path / "out").iterdir()
    assert (session / "session.db").stat().st_size > 0
