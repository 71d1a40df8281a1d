"""The control commands, one class for each; its fields are the command's arguments.

On the wire a command is ``{"id": ..., "command": NAME, "args": {...}}``. Readers ignore arguments that they do not
know. The first line of a class's docstring says what the command does; ``result`` is the type of the reply, ``blob``
what comes with it, and ``access`` who may send the command.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, get_args

import msgspec

from fetalstream.pipeline.wire import results
from fetalstream.pipeline.wire.events import AskedDetail, ClipDetail, DecisionDetail, Verdict
from fetalstream.pipeline.wire.policy import LARGEST_SPACING_MM, SMALLEST_SPACING_MM, TEXT_CHARACTERS, RefilledKind
from fetalstream.pipeline.wire.requests import Request
from fetalstream.pipeline.wire.state import EngineState
from fetalstream.pipeline.wire.words import arguments

Access = Literal["look", "record", "operate"]
"""``look``: any listener, nothing changes. ``record``: who keeps the session. ``operate``: who runs the examination."""

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARACTERS)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_CHARACTERS)]
Spacing = Annotated[float, msgspec.Meta(ge=SMALLEST_SPACING_MM, le=LARGEST_SPACING_MM)]
SectorValues: TypeAlias = Literal["auto"] | list[int | float | tuple[float, float]] | dict[str, Any] | None
"""A scan region: "auto" to find it, ``[x, y, width, height]``, corners ``[[x, y], ...]``, the fields of a scanner's
profile, or None for the whole frame; `streamer.region.masker.setting_from` checks them."""


class _Command(msgspec.Struct, frozen=True, tag_field="command", omit_defaults=True):
    access: ClassVar[Access] = "operate"
    result: ClassVar[Any] = results.Nothing
    blob: ClassVar[str | None] = None


class GetState(_Command, frozen=True, kw_only=True, tag="state"):
    """Return all that a late joiner needs: streams, model, exam, endpoints, newest readings."""

    access = "look"
    result = EngineState


class GetSince(_Command, frozen=True, kw_only=True, tag="since"):
    """Return messages of one topic that were published after ``seq``, from a bounded memory; -1 for all of it."""

    access = "look"
    result = results.Missed

    kind: RefilledKind
    stream: Text
    seq: int


class GetKeyframes(_Command, frozen=True, kw_only=True, tag="keyframes"):
    """List the best frames and snapshots of the exam."""

    access = "look"
    result = results.Keyframes

    stream: Name | None = None


class GetKeyframe(_Command, frozen=True, kw_only=True, tag="keyframe"):
    """Return a kept frame at full resolution, masked."""

    access = "look"
    result = results.KeyframeFound
    blob = "PNG"

    keyframe: Name


class GetClip(_Command, frozen=True, kw_only=True, tag="clip"):
    """Return the seconds round a best frame."""

    access = "look"
    result = ClipDetail
    blob = "Matroska video"

    keyframe: Name


class Explain(_Command, frozen=True, kw_only=True, tag="explain"):
    """Draw a map of what in a kept frame speaks for a plane; the frame's own plane if none is given."""

    access = "look"
    result = results.Explained
    blob = "PNG"

    keyframe: Name
    plane: Name | None = None


class ConfirmSaved(_Command, frozen=True, kw_only=True, tag="saved"):
    """Tell the engine which keyframes and clips are safely on disk, so that it may forget them."""

    access = "record"
    result = results.Saved

    ids: list[Text]
    clips: list[Text] = []


class Mark(_Command, frozen=True, kw_only=True, tag="mark"):
    """Put a mark on record, so that this moment can be found again; on all streams if none is named."""

    stream: Name | None = None
    text: Text = ""


class Snapshot(_Command, frozen=True, kw_only=True, tag="snapshot"):
    """Keep the newest frame, whatever its score; of all streams if none is named."""

    result = results.SnapshotsTaken

    stream: Name | None = None


class Decide(_Command, frozen=True, kw_only=True, tag="decide"):
    """Accept or reject a best frame, or say which plane it really shows."""

    result = DecisionDetail

    keyframe: Name
    verdict: Verdict
    stream: Name | None = None
    plane: Name | None = None
    subplane: Name | None = None


class Undo(_Command, frozen=True, kw_only=True, tag="undo"):
    """Take back the last decision that still stands."""

    result = DecisionDetail

    stream: Name | None = None


class NewExam(_Command, frozen=True, kw_only=True, tag="new_exam"):
    """Begin another examination of the stream; of all streams if none is named."""

    result = results.ExamBegun

    stream: Name | None = None


class SetSpacing(_Command, frozen=True, kw_only=True, tag="set_spacing"):
    """Set the millimetres per pixel of a stream's frames; null leaves it to the source."""

    result = results.SpacingSet

    stream: Name | None = None
    spacing_mm: Spacing | None = None


class SetSector(_Command, frozen=True, kw_only=True, tag="set_sector"):
    """Set the scan region of a stream: to be found, a rectangle, corners, a scanner's profile, or the whole frame."""

    result = results.SectorSet

    stream: Name | None = None
    sector: SectorValues = None


class AskSentence(_Command, frozen=True, kw_only=True, tag="ask"):
    """Score a sentence against every frame from now on; null for none. On all streams if none is named."""

    result = AskedDetail

    stream: Name | None = None
    text: Text | None = None


class ChooseProtocol(_Command, frozen=True, kw_only=True, tag="protocol"):
    """Put on record which protocol's views are collected; on all streams if none is named."""

    result = results.ProtocolChosen

    stream: Name | None = None
    protocol: Text | None = None


class NoteExport(_Command, frozen=True, kw_only=True, tag="exported"):
    """Put on record that a report or export was written; on all streams if none is named."""

    result = results.ExportNoted

    stream: Name | None = None
    what: Text = ""


class Pause(_Command, frozen=True, kw_only=True, tag="pause"):
    """Pause the engine: no frame is analysed."""

    result = results.Paused


class Resume(_Command, frozen=True, kw_only=True, tag="resume"):
    """Let a paused engine go on, and start captures again that were given up."""

    result = results.Paused


class Stop(_Command, frozen=True, kw_only=True, tag="stop"):
    """End the run cleanly."""

    reason: Text = "stopped by command"


Command: TypeAlias = (
    GetState | GetSince | GetKeyframes | GetKeyframe | GetClip | Explain | ConfirmSaved | Mark | Snapshot | Decide
    | Undo | NewExam | SetSpacing | SetSector | AskSentence | ChooseProtocol | NoteExport | Pause | Resume | Stop
)  # fmt: skip

COMMANDS: Final[dict[str, type[Command]]] = {
    str(each.__struct_config__.tag): each  # type: ignore[attr-defined]
    for each in get_args(Command)
}
"""The class of each command, by its name."""


class BadCommand(ValueError):
    """A command that is not known, or whose arguments are wrong; ``str()`` is one line that says which are right."""


def name_of(command: Command) -> str:
    """Return the command's name on the wire."""
    return str(command.__struct_config__.tag)


def command_from(name: str, args: dict[str, Any]) -> Command:
    """Return the command that a request names.

    Raises:
        BadCommand: there is no such command, or an argument is missing or cannot be meant.
    """
    kind = COMMANDS.get(name)
    if kind is None:
        raise BadCommand(f"unknown command {name!r}: choose {', '.join(COMMANDS)}")
    try:
        return msgspec.convert({**args, "command": name}, kind)
    except msgspec.ValidationError as error:
        wrong = str(error).replace(" - at `$.", " in `")
        raise BadCommand(f"{name}: {wrong}; it takes {'; '.join(arguments(kind)) or 'no arguments'}") from None


def request_of(command: Command) -> Request:
    """Return a new request for the command."""
    args = msgspec.to_builtins(command)
    return Request(id=str(uuid.uuid4()), command=args.pop("command"), args=args)
