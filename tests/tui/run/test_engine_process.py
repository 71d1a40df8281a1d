import io
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from fetalstream.pipeline.errors import DeviceFault, EngineFault, ModelError
from fetalstream.streamer.phantom.scanners import ScannerScreen
from fetalstream.tui.run import engine_process
from fetalstream.tui.run.persisted_settings import PersistedSettings
from fetalstream.tui.run.supervise import EXIT_CRASHED, EXIT_DEVICE
from fetalstream.tui.settings.settings import StreamSettings
from tests.streamer.clips import write, yuv420


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (ModelError("absent; pull it"), 1),
        (EngineFault("not finite; start it again"), EXIT_CRASHED),
        (DeviceFault("the device failed; start it again"), EXIT_DEVICE),
        (KeyError("a mistake"), EXIT_CRASHED),
    ],
)
def test_the_exit_code_says_whether_a_new_start_may_help(monkeypatch, capsys, trouble, code):
    settings = b'{"streams": [{"source": "phantom:1"}], "pub": "ipc://a", "preview": "ipc://b", "control": "ipc://c", '
    settings += b'"alive": "alive", "recorded": false}\n'

    def breaks(_):
        raise trouble

    monkeypatch.setattr(engine_process, "_run", breaks)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(settings)))
    assert engine_process.main() == code
    assert str(trouble.args[0]) in capsys.readouterr().err


def screens(deeper=1.0):
    screen = ScannerScreen(5, deeper=deeper)
    shown = [screen.frame(300 + 4 * place).pixels for place in range(8)]
    pixels = [(each[:, :, 1] if each.ndim == 3 else each).astype(np.uint16) for each in shown]
    return [yuv420((16 + each * 219 // 255).astype(np.uint8)) for each in pixels]


@pytest.mark.parametrize("said", [{"spacing_mm": 0.2}, {"depth_cm": 12.0}])
def test_a_new_engine_does_not_believe_a_scale_that_ended_with_the_layout(tmp_path, said):
    clip = write(tmp_path / "clip.mp4", [*screens(), *screens(deeper=1.3)], rate=8)
    stream = StreamSettings(source=str(clip), name="stream-1", **said)
    path = tmp_path / "persisted-settings.json"

    with closing(engine_process._opened(stream, PersistedSettings(path))) as source:
        before = [frame.spacing_from for frame in source]
    with closing(engine_process._opened(stream, PersistedSettings(path))) as source:
        after = [frame.spacing_from for frame in source]

    by_operator = {"operator", "depth"}
    assert by_operator & set(before)
    assert before[-1] not in by_operator
    assert not by_operator & set(after)


def test_a_new_engine_believes_a_scale_as_long_as_the_layout_stays(tmp_path):
    clip = write(tmp_path / "clip.mp4", screens(), rate=8)
    stream = StreamSettings(source=str(clip), name="stream-1", spacing_mm=0.2)
    for _ in range(2):
        with closing(engine_process._opened(stream, PersistedSettings(tmp_path / "persisted-settings.json"))) as source:
            assert {frame.spacing_mm for frame in source} == {0.2}
