"""Every command of the dashboard in one table: its keys, its word in the footer, its line in the palette, its work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from fetalstream.tui.dashboard.app_screens import Screens
from fetalstream.tui.dashboard.jobs import Jobs
from fetalstream.tui.dashboard.operator import Operator
from fetalstream.tui.dashboard.past import Past


class Parts(Protocol):
    """The parts of the dashboard, and what the app does itself: together they carry every command out."""

    past: Past
    jobs: Jobs
    operator: Operator
    screens: Screens

    def choose_theme(self) -> None:
        """Ask for other colours."""
        ...

    def exit(self) -> None:
        """End the app and leave the dashboard."""
        ...


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that the operator can have done.

    Attributes:
        keys: as Textual names them, separated by commas; empty for a command of the palette alone.
        label: the key's word in the footer.
        run: carries it out.
        title: the line in the palette (ctrl+p); empty for a command that has a key alone.
        about: the line beneath ``title``.
        sign: the key as the footer shows it; empty if the footer does not.
        first: no widget gets the key before; it rests while another screen lies over the dashboard.
    """

    keys: str
    label: str
    run: Callable[[Parts], object]
    title: str = ""
    about: str = ""
    sign: str = ""
    first: bool = False


def _stream(number: int) -> Command:
    return Command(str(number), f"Stream {number}", lambda on: on.screens.show_stream(number))


# fmt: off
COMMANDS: Final = (
    Command("p,space", "Pause", lambda on: on.past.toggle_hold(),
            "Pause or resume the screen", "The engine goes on", sign="p"),
    Command("", "", lambda on: on.operator.pause_engine(),
            "Pause or resume the engine", "No frame is analysed meanwhile"),
    Command("m", "Mark", lambda on: on.operator.mark(), "Mark with a note", "Find this moment again", sign="m"),
    Command("s", "Snapshot", lambda on: on.operator.snapshot(), "Snapshot", "Keep this frame", sign="s"),
    Command("n", "Exam", lambda on: on.operator.new_exam(), "New exam", "Another patient", sign="n"),
    Command("b", "Best", lambda on: on.screens.review(), "Best frames", "Accept, reject, relabel, undo", sign="b"),
    Command("v", "Views", lambda on: on.screens.views(),
            "Views", "All views and the best frame of each, in pictures", sign="v"),
    Command("y", "Protocol", lambda on: on.operator.choose_protocol(), "Protocol", "Which views to collect"),
    Command("slash", "Ask", lambda on: on.operator.ask(),
            "Ask in words", "Score a sentence against every frame", sign="/"),
    Command("f", "Find", lambda on: on.past.find(), "Find a moment", "By plane, mark or event"),
    Command("", "", lambda on: on.jobs.search(), "Search the recording in words", "Recorded with --embeddings"),
    Command("", "", lambda on: on.jobs.report(), "Write the report", "One page, for any browser"),
    Command("", "", lambda on: on.jobs.export(), "Export the session", "Tables, DICOM images"),
    Command("e", "Scale", lambda on: on.operator.set_scale(), "Set the scale", "Millimetres per pixel"),
    Command("left", "Back", lambda on: on.past.scrub(-1)),
    Command("right", "Forth", lambda on: on.past.scrub(1)),
    Command("shift+left", "Far back", lambda on: on.past.scrub(-6)),
    Command("shift+right", "Far forth", lambda on: on.past.scrub(6)),
    Command("end", "Live", lambda on: on.past.to_now()),
    Command("plus,equals_sign", "Faster", lambda on: on.past.change_speed(1)),
    Command("minus", "Slower", lambda on: on.past.change_speed(-1)),
    Command("r", "Region", lambda on: on.operator.set_region(),
            "Choose the scan region", "Found, of a scanner, or the whole frame"),
    Command("o", "Streams", lambda on: on.screens.toggle_overview(), "All streams", "Every stream as a tile", sign="o"),
    Command("t", "Theme", lambda on: on.choose_theme(), "Theme", "Colours"),
    Command("tab", "Next stream", lambda on: on.screens.show_next_stream(1), first=True),
    Command("shift+tab", "Previous stream", lambda on: on.screens.show_next_stream(-1), first=True),
    Command("question_mark", "Help", lambda on: on.screens.help(), "Help", "Keys and words", sign="?"),
    Command("q", "Quit", lambda on: on.exit(), "Quit", "Leave the dashboard", sign="q"),
    *(_stream(number) for number in range(1, 10)),
)
"""In the order of the palette and of the footer."""
# fmt: on
