"""Scan protocols, the views that an examination is to collect. Pure: ``tui.settings.scan_protocols`` reads files."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from fetalstream.tui.errors import UserError
from fetalstream.tui.state.text import LABEL_WORDS

ALL_PLANES: Final = "planes"
"""The protocol without a file: every plane that the model knows, once."""

_Words = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=28)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ProtocolError(UserError):
    """A protocol that cannot be used; ``str()`` is one line."""


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A view to collect.

    Attributes:
        name: for people, at most 28 characters.
        plane: the model's plane that it is; without one the model cannot judge the view.
        subplane: the section of the brain, if it must be a certain one.
    """

    name: _Name
    plane: str | None = None
    subplane: str | None = None

    @property
    def assessable(self) -> bool:
        return self.plane is not None


class Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A list of views.

    Attributes:
        title: for people.
        source: the publication that it follows.
        url: where that publication is.
        enough: score, 0 to 1, from which a view is collected.
        views: in the order in which they are shown.
        name: the name of its file, whatever the file says.
    """

    title: _Words
    source: _Words
    url: str = ""
    enough: _Share = 0.0
    views: tuple[View, ...]
    name: str = ALL_PLANES


def every_plane(labels: tuple[str, ...]) -> Protocol:
    """Return the protocol of a model's own planes."""
    views = tuple(View(LABEL_WORDS.get(label, label.replace("_", " "))[:28] or "?", label) for label in labels)
    return Protocol(title="all planes", source="the model's own planes", views=views)
