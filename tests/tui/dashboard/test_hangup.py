"""A terminal that is gone."""

import os
import pty

from fetalstream.tui.dashboard.hangup import HangupWatch


def test_a_terminal_that_hangs_up_is_noticed_and_input_is_none() -> None:
    master, slave = pty.openpty()
    watch = HangupWatch(slave)
    assert not watch.gone()
    os.write(master, b"q")
    assert not watch.gone()
    os.close(master)
    assert watch.gone()
    os.close(slave)


def test_what_is_no_terminal_is_not_watched() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    assert not HangupWatch(reader).gone()
    os.close(reader)
