"""The removal of sessions that are too old, or of the oldest if all of them take too much room."""

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
from fetalstream.tui.state.text import plain

NOTHING: Final = "Nothing to remove"
_DAY_S: Final = 86_400


def purge(
    folder: Path,
    now_s: float,
    *,
    older_than_s: float | None,
    keep_bytes: int | None,
    agreed: Callable[[str], bool],
    say: Callable[[str], None] = print,
    dry_run: bool = False,
) -> bool:
    """Remove the sessions that are due, and the rest of an earlier removal.

    Args:
        folder: the folder of sessions.
        now_s: seconds since 1970.
        older_than_s: sessions last written longer ago than this go; None for no such limit.
        keep_bytes: the oldest go until the rest has at most this size; None for no such limit.
        agreed: is asked a question before anything is removed.
        say: gets one line on each session that goes, and on what became of it.
        dry_run: remove nothing, only say what would go.

    Returns:
        Whether everything due is gone; True too if nobody agreed to the removal.

    Raises:
        RetentionError: it is no folder of sessions.
        OSError: it cannot be read.
    """
    found = look_into(folder)
    chosen = due(found.sessions, now_s, older_than_s=older_than_s, keep_bytes=keep_bytes)
    _announce(found, chosen, now_s, say)
    many = len(chosen.going) + len(found.remnants)
    if many == 0 or dry_run:
        say(NOTHING if many == 0 else "Nothing was removed: this was a dry run")
        return True
    if not agreed(f"Remove {_sessions(many)} for good?"):
        say("Nothing was removed")
        return True
    return _removed(found, chosen, say)


def retain(
    folder: Path, now_s: float, *, older_than_s: float | None, keep_bytes: int | None, say: Callable[[str], None]
) -> None:
    """Remove without a question what the settings of a run no longer keep. A failure is reported, never raised.

    Args:
        folder: the folder of sessions; it need not exist.
        now_s: seconds since 1970.
        older_than_s: as for `purge`.
        keep_bytes: as for `purge`.
        say: gets one line on each session that goes, and none if none does.
    """
    lines: list[str] = []
    try:
        if folder.exists():
            purge(
                folder,
                now_s,
                older_than_s=older_than_s,
                keep_bytes=keep_bytes,
                agreed=lambda _: True,
                say=lines.append,
            )
    except (RetentionError, OSError) as error:
        lines = [plain(error, 300)]
    if lines and lines[-1] != NOTHING:
        for line in lines:
            say(f"Retention: {line}")


def _announce(found: FolderListing, chosen: Due, now_s: float, say: Callable[[str], None]) -> None:
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
    """Return a size such as "1.2 GB"; kB, MB and GB count in thousands."""
    for unit, of_bytes in (("GB", 1e9), ("MB", 1e6)):
        if count_bytes >= of_bytes:
            return f"{count_bytes / of_bytes:.1f} {unit}"
    return f"{count_bytes / 1e3:.1f} kB"


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"
