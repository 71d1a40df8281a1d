"""What the commands about what stays do with their options: report, export, purge."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final


def _report(options: argparse.Namespace) -> int:
    from tui.protocols import read_protocol
    from tui.report_command import write_report

    protocol = None if options.protocol is None else read_protocol(options.protocol)
    print(write_report(options.session, options.out, protocol=protocol))
    return 0


COMMANDS: Final[dict[str, Callable[[argparse.Namespace], int]]] = {"report": _report}
