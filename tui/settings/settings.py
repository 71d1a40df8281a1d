"""Settings of a live analysis, from the command line and ``--config FILE``, and those of the engine's process.

A configuration file is TOML with these fields; options of the command line go before them::

    model = "fetalclip"
    record = "/data/sessions"
    # retention = { older_than = "90d", keep = "500GB" }   # older sessions are removed at the start, each with a line

    [[streams]]
    source = "clip.mp4"
    name = "probe-1"
    spacing_mm = 0.21
    sector = [120, 40, 640, 480]   # or corners, [[x, y], ...]; "whole"; "auto", which is the default
    # profile = "room-2"           # as fetalstream calibrate has written it
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec

from fetalstream.pipeline.wire import LARGEST_SPACING_MM, SMALLEST_SPACING_MM
from fetalstream.tui.errors import UserError
from fetalstream.tui.settings.limits import Limits, read_age_s, read_size_bytes

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")]
_Spacing = Annotated[float, msgspec.Meta(ge=SMALLEST_SPACING_MM, le=LARGEST_SPACING_MM)]
_Positive = Annotated[float, msgspec.Meta(gt=0, le=1000)]
_FARTHEST = 65536  # pixels


class SettingsError(UserError):
    """A configuration cannot be used; ``str()`` is one line that names the field."""


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one source.

    Attributes:
        source: as on the command line of ``fetalstream run``.
        name: of the stream on the wire, by default ``stream-1`` and so on; it must not say who the patient is.
        spacing_mm: mm per pixel of the source's frames.
        depth_cm: instead of ``spacing_mm``, the depth that the scanner is set to.
        sector: the scan region: x, y, width, height in pixels; corners; "auto" to find it; "whole" for frames as they
            are.
        profile: name of the scanner's profile, as ``fetalstream calibrate`` wrote it; it goes before ``sector``.
    """

    source: str
    name: _Name | None = None
    spacing_mm: _Spacing | None = None
    depth_cm: Annotated[float, msgspec.Meta(gt=0, le=50)] | None = None
    sector: Literal["auto", "whole"] | list[Any] = "auto"
    profile: str | None = None

    def __post_init__(self) -> None:
        """Check that a list is a rectangle or an outline, and that the scale is given once."""
        if self.depth_cm is not None and (self.spacing_mm is not None or self.sector == "whole"):
            raise ValueError("depth_cm goes with a sector, and without spacing_mm")
        if isinstance(self.sector, str) or _is_rectangle(self.sector) or _is_outline(self.sector):
            return
        raise ValueError('sector must be [x, y, width, height], three corners [x, y] or more, "auto" or "whole"')


def _is_rectangle(sector: list[Any]) -> bool:
    whole = len(sector) == 4 and all(isinstance(value, int) and value >= 0 for value in sector)
    return whole and min(sector[2:]) >= 1


def _is_outline(sector: list[Any]) -> bool:
    corners = [corner for corner in sector if isinstance(corner, list) and len(cast("list[Any]", corner)) == 2]
    numbers = [value for corner in corners for value in corner]
    inside = all(isinstance(value, (int, float)) and 0 <= value < _FARTHEST for value in numbers)
    return len(corners) == len(sector) >= 3 and inside


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The choice of the model, and of the device that it runs on.

    Attributes:
        model: a name from ``fetalstream models list``, or a path to a model file.
        weights: a path to other weights than those of the model file, or "random" for measuring speed.
        prompts: a folder of other sentences.
        device: "auto", "cpu", "cuda" or "cuda:1".
        precision: of the image encoder; "auto" takes what the device is fast at; "int8" and "fp8" are refused, with
            what can be had instead.
    """

    model: str = "mini"
    weights: str | None = None
    prompts: str | None = None
    device: str = "auto"
    precision: Literal["auto", "fp32", "bf16", "int8", "fp8"] = "auto"


class RetentionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits beyond which sessions are removed when a run begins, for good and unasked, as by ``fetalstream purge``.

    Attributes:
        older_than: those last written so long ago, as in "12h", "30d" or "2w".
        keep: the oldest, until the rest has this size, as in "500MB" or "20GB".
    """

    older_than: str | None = None
    keep: str | None = None

    def __post_init__(self) -> None:
        """Check that both can be read, and that one is there."""
        if self.limits() == Limits(None, None):
            raise ValueError("retention needs older_than, keep or both")

    def limits(self) -> Limits:
        """Return both limits, in seconds and bytes.

        Raises:
            ValueError: one of them cannot be read.
        """
        return Limits(
            None if self.older_than is None else read_age_s(self.older_than),
            None if self.keep is None else read_size_bytes(self.keep),
        )


class RunSettings(ModelSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of a live analysis.

    Attributes:
        streams: the sources, one table each.
        pub: endpoint to publish at, for example "tcp://127.0.0.1:5556"; by default a socket file of the user's own.
        control: endpoint to take commands at; by default a socket file, or the port after ``pub``.
        record: folder of sessions, by default the user's own; "" for no recording.
        retention: which sessions in that folder are removed when a run begins.
        embeddings: keep the vector of every analysed frame, for search.
    """

    streams: tuple[StreamSettings, ...] = ()
    pub: str | None = None
    control: str | None = None
    record: str | None = None
    retention: RetentionSettings | None = None
    embeddings: bool = False

    def named(self) -> tuple[StreamSettings, ...]:
        """Return the streams, each with the name that it has on the wire.

        Raises:
            SettingsError: there are none, or two have the same name.
        """
        if not self.streams:
            raise SettingsError("no source: give one or more, or a --config FILE with [[streams]]")
        named = tuple(
            msgspec.structs.replace(stream, name=stream.name or f"stream-{number}")
            for number, stream in enumerate(self.streams, start=1)
        )
        twice = [name for name, times in Counter(stream.name for stream in named).items() if times > 1]
        if twice:
            raise SettingsError(f"two streams are called {twice[0]!r}: give each a name of its own")
        return named


class EngineSettings(ModelSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of the engine's process, one line of JSON on its standard input.

    Attributes:
        streams: the sources, each with a name.
        pub: endpoint to publish at.
        preview: endpoint of the previews.
        control: endpoint to take commands at.
        alive: the file that the process holds a lock on while it runs.
        recorded: whether a recorder fetches its pictures.
        embeddings: publish the vector of every analysed frame.
    """

    streams: tuple[StreamSettings, ...]
    pub: str
    preview: str
    control: str
    alive: str
    recorded: bool
    embeddings: bool = False


def read_settings(path: Path) -> RunSettings:
    """Return the settings in a file.

    Raises:
        SettingsError: it cannot be read, or is not what it should be; the message names the field.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=RunSettings)
    except OSError as error:
        raise SettingsError(f"configuration {path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SettingsError(f"configuration {path}: {str(error).splitlines()[0]}") from error
