"""Exit codes of all commands, each with what it means."""

from typing import Final

DONE: Final = 0
"""The command did what it was asked to do."""

FAILED: Final = 1
"""The command failed; one line on standard error says what is wrong and what to do."""

WRONG_USAGE: Final = 2
"""Options or arguments are not understood, or do not go together; argparse's own code."""
