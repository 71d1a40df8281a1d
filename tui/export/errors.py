"""The error of an export."""

from fetalstream.tui.errors import UserError


class ExportError(UserError):
    """An export failed, or did not write everything; ``str()`` is one line that says what to do."""
