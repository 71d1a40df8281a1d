"""Options as the command line makes them."""

from __future__ import annotations

import argparse

from fetalstream.tui import cli


def parsed(*argv: str) -> argparse.Namespace:
    return cli.build_parser().parse_args(argv)
