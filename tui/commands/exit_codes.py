"""Exit codes of all commands; wrong usage is 2, argparse's own."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
