"""A watch on the terminal that the dashboard draws on: is it still there?"""

from __future__ import annotations

import os
import select


class HangupWatch:
    """Notices that the terminal is gone. Passive.

    A terminal window that is closed sends SIGHUP, but only to the session that it controls. Without it, Textual's
    input thread would read the end of file again and again, for ever.

    Args:
        fd: file descriptor of the terminal; nothing is watched if it is none.
    """

    def __init__(self, fd: int) -> None:
        self._poll = None
        if hasattr(select, "poll") and os.isatty(fd):  # Windows has no poll
            self._poll = select.poll()
            self._poll.register(fd, 0)  # a hang-up is reported whatever is asked for

    def gone(self) -> bool:
        """Return True if the terminal has hung up."""
        return self._poll is not None and any(event & select.POLLHUP for _, event in self._poll.poll(0))
