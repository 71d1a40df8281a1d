"""The review of best frames: each beside its newest candidate, for the operator to accept, reject or relabel."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import ClassVar, Literal, Protocol

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.events import Resize
from textual.screen import ModalScreen

from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.freshness import Tone
from fetalstream.tui.state.keyframe_review import BestFrame
from fetalstream.tui.state.protocol_progress import ChecklistItem, why
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.state.text import label_words, plain, probability, span, weeks_days
from fetalstream.tui.widgets import palette
from fetalstream.tui.widgets.preview import Banner, Preview
from fetalstream.tui.widgets.text_block import TextBlock

Said = Callable[[], "tuple[str, Tone] | None"]
TIGHT_COLUMNS = 110
_PARTS = {"probability": "prob", "in_plane": "on plane", "sharpness": "sharp", "steadiness": "steady"}
_ROOMY = 44  # cells across from which all is said


class Decisions(Protocol):
    """Takes the operator's decisions about frames."""

    def decide(self, keyframe: str, verdict: Literal["accept", "reject"]) -> None:
        """Put a verdict on a frame on record."""
        ...

    def relabel(self, keyframe: str) -> None:
        """Ask what the frame shows, and put it on record."""
        ...

    def undo(self) -> None:
        """Take the last decision back."""
        ...


class Review(ModalScreen[None]):
    """The views on the left; on the right the best frame of the chosen view, beside its candidate.

    Args:
        look: returns the chosen stream, its checklist and the time, as of now.
        decisions: takes the operator's decisions.
        pictures: of best frames.
        said: returns the answer to the last command, as long as it is shown.
        at: the index of the view to begin at; None for the first that has a frame.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,b,q", "dismiss(None)", "Close"),
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("down,j", "step(1)", "Down", show=False),
        Binding("a,enter", "accept", "Accept"),
        Binding("c", "accept_rival", "Take candidate"),
        Binding("r", "reject", "Reject"),
        Binding("l", "relabel", "Relabel"),
        Binding("u", "undo", "Undo"),
    ]

    def __init__(
        self,
        look: Callable[[], tuple[StreamView, list[ChecklistItem], int] | None],
        decisions: Decisions,
        pictures: KeptPictures,
        said: Said,
        at: int | None = None,
    ) -> None:
        super().__init__()
        self._look, self._decisions, self._pictures, self._said = look, decisions, pictures, said
        self._begin_at = at
        self._at = 0
        self._list = TextBlock(id="views")
        self._words = TextBlock(id="said"), TextBlock(id="candidate-said")
        self._frames = Preview(), Preview()
        self._keys = TextBlock(id="review-keys")

    def compose(self) -> ComposeResult:
        with Container(classes="dialog review") as box:
            box.border_title = "best frames"
            with Horizontal():
                yield self._list
                for preview, words in zip(self._frames, self._words, strict=True):
                    with Container(classes="compared"):
                        yield preview
                        yield words
            yield self._keys

    def on_mount(self) -> None:
        """Begin at the first view that has a frame, and draw a few times a second: better frames go on coming."""
        found = self._look()
        first = next((at for at, item in enumerate(found[1] if found else []) if item.best is not None), 0)
        self._at = first if self._begin_at is None else self._begin_at
        self.set_interval(0.3, self.draw)
        self.call_after_refresh(self.draw)

    def on_resize(self, event: Resize) -> None:
        """Choose the layout: on a narrow screen the list is narrower, and words stand in more and shorter rows."""
        self.set_class(event.size.width < TIGHT_COLUMNS, "tight")

    def draw(self) -> None:
        """Draw what is known now."""
        found = self._look()
        if found is None or not self.is_mounted:
            return
        view, checked, now_ns = found
        self._at = min(self._at, max(0, len(checked) - 1))
        self._list.show(_list(checked, self._at, (self._list.columns, self._list.rows)))
        best, candidate = self._pair(view, checked)
        for preview, words, frame, name in zip(
            self._frames, self._words, (best, candidate), ("best", "candidate"), strict=True
        ):
            advice = checked[self._at].advice if checked and name == "best" else ""
            wide = words.columns
            words.show(_words(name, frame, view, now_ns, wide) if frame is not None else _nothing(name, advice, wide))
            picture = None if frame is None else self._pictures.get(frame.keyframe)
            words_over = "fetching" if picture is None else "not kept any more"
            over = Banner(words_over, palette.MUTED) if frame is not None and not picture else None
            preview.show(picture or None, "fresh" if picture else "waiting", over)
        said = self._said()
        self._keys.show(
            _keys(best, candidate, undoable=view.review.undoable)
            if said is None
            else Text(" " + plain(said[0], max(4, self._keys.columns - 2)), style=palette.TONES[said[1]])
        )

    def _pair(self, view: StreamView, checked: list[ChecklistItem]) -> tuple[BestFrame | None, BestFrame | None]:
        if not checked:
            return None, None
        item = checked[self._at]
        return item.best, view.review.candidate(item.view.plane or "", item.view.subplane)

    def _chosen(self) -> tuple[BestFrame | None, BestFrame | None]:
        found = self._look()
        return (None, None) if found is None else self._pair(found[0], found[1])

    def action_step(self, by: int) -> None:
        """Choose the view ``by`` places further down."""
        found = self._look()
        if found is not None and found[1]:
            self._at = (self._at + by) % len(found[1])
            self.draw()

    def action_accept(self) -> None:
        """Accept the best frame: it stays."""
        self._say("accept", self._chosen()[0])

    def action_accept_rival(self) -> None:
        """Accept the candidate instead of the best frame."""
        self._say("accept", self._chosen()[1])

    def action_reject(self) -> None:
        """Reject the best frame: it does not count."""
        self._say("reject", self._chosen()[0])

    def action_relabel(self) -> None:
        """Ask what the best frame really shows."""
        best = self._chosen()[0]
        if best is not None:
            self._decisions.relabel(best.keyframe)

    def action_undo(self) -> None:
        """Take the last decision back."""
        self._decisions.undo()

    def _say(self, verdict: Literal["accept", "reject"], frame: BestFrame | None) -> None:
        if frame is not None:
            self._decisions.decide(frame.keyframe, verdict)


def _list(checked: list[ChecklistItem], at: int, size: tuple[int, int]) -> Text:
    width, rows = size
    name_width = max(4, width - 4)
    first = max(0, min(at - rows // 2, len(checked) - rows)) if rows > 0 else 0
    lines: list[Text] = []
    for place, item in list(enumerate(checked))[first : first + max(1, rows)]:
        marks = {"done": ("●", palette.GOOD), "weak": ("◐", palette.WARN), "missing": ("○", palette.FAINT)}
        mark, colour = marks.get(item.state, ("·", palette.FAINT))
        mark = "✔" if item.best is not None and item.best.accepted else mark
        lit = f"bold {palette.TEXT} on {palette.TRACK}" if place == at else palette.MUTED
        name = (plain(item.view.name, name_width).ljust(name_width), lit)
        row = Text.assemble(
            (f" {mark} ", f"{colour} on {palette.TRACK}" if place == at else colour), name, no_wrap=True
        )
        row.end = ""
        lines.append(row)
    return palette.lines(lines)


def _nothing(name: str, advice: str, width: int) -> Text:
    words = f"nothing yet: {advice}" if name == "best" else "no candidate"
    rows = textwrap.wrap(words, max(8, width))[:4]
    return palette.lines([Text(row, style=palette.FAINT) for row in rows])


def _words(name: str, frame: BestFrame, view: StreamView, now_ns: int, width: int) -> Text:
    age = "" if frame.gestation is None else weeks_days(frame.gestation.days)
    ago = span(view.since_published_s(frame.published_ns, now_ns))
    ago = "just now" if ago == "now" else f"{ago} ago"
    how = "accepted" if frame.accepted else "snapshot" if frame.by_operator else name
    parts = " · ".join(f"{_PARTS.get(each, each)} {probability(value)}" for each, value in frame.parts.items())
    weak = why(frame.parts)
    in_rows = [row.strip("· ") for row in textwrap.wrap(parts, max(8, width))[:2]]
    plane, subplane = label_words(frame.plane), label_words(frame.subplane) if frame.subplane else ""
    first = Text.assemble((f"{how}: ", palette.ACCENT), (plane, f"bold {palette.TEXT}"), no_wrap=True)
    if width >= _ROOMY:
        first.append(f", {subplane}" if subplane else "", style=f"bold {palette.TEXT}")
        first.append(f" · {age}" if age else "", style=palette.GOOD)
        weak = weak.partition(" (")[0]  # its number is among the parts
        rest = [f"score {probability(frame.score)} · {ago}" + (f" · {weak}" if weak else ""), *in_rows]
    else:
        rest = [" · ".join(filter(None, (subplane, age))), f"{probability(frame.score)} · {ago}", weak]
    colours = (palette.MUTED, palette.FAINT if width >= _ROOMY else palette.MUTED, palette.FAINT, palette.FAINT)
    lines = [Text(plain(row, max(4, width)), style=colour) for row, colour in zip(rest, colours, strict=False)]
    return palette.lines([first, *lines])


def _keys(best: BestFrame | None, candidate: BestFrame | None, *, undoable: bool) -> Text:
    text = Text(no_wrap=True, end="")
    for key, words, useful in (
        ("↑↓", "view", True),
        ("a", "accept", best is not None),
        ("c", "candidate", candidate is not None),
        ("r", "reject", best is not None),
        ("l", "relabel", best is not None),
        ("u", "undo", undoable),
        ("esc", "close", True),
    ):
        text.append(f" {key} ", style=f"bold {palette.ACCENT}" if useful else palette.FAINT)
        text.append(f"{words} ", style=palette.TEXT if useful else palette.FAINT)
    return text
