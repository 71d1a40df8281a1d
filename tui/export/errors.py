"""What can go wrong in an export."""


class ExportError(Exception):
    """An export that came to nothing, or not to all; ``str()`` is one line that says what to do."""
