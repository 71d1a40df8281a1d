import io
from types import SimpleNamespace

import pytest

from pipeline.errors import DeviceFault, EngineFault, ModelError
from tui import engine_process
from tui.supervise import EXIT_CRASHED, EXIT_DEVICE


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
