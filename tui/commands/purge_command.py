"""``fetalstream purge``: removes sessions that are too old, or the oldest where all of them take too much room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fetalstream.tui.record.retention import (
    Due,
    FolderListing,
    RetentionError,
    due,
    finish,
    look_into,
    remove,
    size_bytes,
)
from fetalstream.tui.settings.limits import Limits
from fetalstream.tui.state.text import plain

NOTHING: Final = "Nothing to remove"
_DAY_S: Final = 86_400


def purge(
    folder: Path,
    limits: Limits,
    now_s: float,
    *,
    agreed: Callable[[str], bool],
    say: Callable[[str], None] = print,
    dry_run: bool = False,
) -> bool:
    """Removes what is due, and what is left of an earlier removal.

    Args:
        folder: that sessions are in.
        limits: of what may stay.
        now_s: seconds since 1970.
        agreed: is asked a question before anything is removed.
        say: is told in lines what goes and what went.
        dry_run: only tell.

    Returns:
        Whether all that was to go is gone, or nobody wanted it to.

    Raises:
        RetentionError: it is no folder of sessions.
        OSError: it cannot be read.
    """
    found = look_into(folder)
    chosen = due(found.sessions, now_s, older_than_s=limits.older_than_s, keep_bytes=limits.keep_bytes)
    _tell(found, chosen, now_s, say)
    many = len(chosen.going) + len(found.remnants)
    if many == 0 or dry_run:
        say(NOTHING if many == 0 else "Nothing was removed: this was a dry run")
        return True
    if not agreed(f"Remove {_sessions(many)} for good?"):
        say("Nothing was removed")
        return True
    return _removed(found, chosen, say)


def retain(folder: Path, limits: Limits, now_s: float, say: Callable[[str], None]) -> None:
    """Removes what is due because the settings say so, and tells every session that goes; never a reason not to start.

    Args:
        folder: that sessions are in; it need not be there.
        limits: of what may stay.
        now_s: seconds since 1970.
        say: is told in lines what goes and what went, and nothing where nothing does.
    """
    lines: list[str] = []
    try:
        if folder.exists():
            purge(folder, limits, now_s, agreed=lambda _: True, say=lines.append)
    except (RetentionError, OSError) as error:
        lines = [plain(error, 300)]
    if lines and lines[-1] != NOTHING:
        for line in lines:
            say(f"Retention: {line}")


def _tell(found: FolderListing, chosen: Due, now_s: float, say: Callable[[str], None]) -> None:
    say(f"{_sessions(len(found.sessions))}, {size_words(sum(each.size_bytes for each in found.sessions))}")
    if found.others:
        say(f"Not sessions, left alone: {found.others}")
    for each in chosen.busy:
        say(f"stays, being written:  {each.folder.name}")
    for remnant in found.remnants:
        say(f"goes, begun before:    {remnant.name}")
    for each in chosen.going:
        days = (now_s - each.written_s) / _DAY_S
        say(f"goes:  {each.folder.name}  {size_words(each.size_bytes)}, last written {days:.1f} days ago")


def _removed(found: FolderListing, chosen: Due, say: Callable[[str], None]) -> bool:
    gone, freed_bytes, well = 0, 0, True
    sessions = [(each.folder, each.size_bytes, remove) for each in chosen.going]
    remnants = [(remnant, size_bytes(remnant), finish) for remnant in found.remnants]
    for folder, its_bytes, away in [*remnants, *sessions]:
        try:
            away(folder)
        except BlockingIOError:
            say(f"stays, being written:  {folder.name}")
        except FileNotFoundError:
            say(f"somebody else removed  {folder.name}")
        except OSError as error:
            say(f"cannot be removed:  {folder.name}: {plain(Path(error.filename or '').name)}: {error.strerror}")
            well = False
        else:
            gone += 1
            freed_bytes += its_bytes
    say(f"Removed {_sessions(gone)}, {size_words(freed_bytes)} ({freed_bytes} bytes)")
    return well


def size_words(count_bytes: int) -> str:
    """As "1.2 GB"; kB, MB and GB count in thousands."""
    for unit, of_bytes in (("GB", 1e9), ("MB", 1e6)):
        if count_bytes >= of_bytes:
            return f"{count_bytes / of_bytes:.1f} {unit}"
    return f"{count_bytes / 1e3:.1f} kB"


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
