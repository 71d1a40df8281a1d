"""The screens over the dashboard (best frames, views, help), and which streams the dashboard shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from fetalstream.tui.dashboard.host import Host
from fetalstream.tui.dashboard.operator import Operator
from fetalstream.tui.pictures.kept_pictures import KeptPictures
from fetalstream.tui.state.protocol_progress import ChecklistItem, items
from fetalstream.tui.state.session import StreamView
from fetalstream.tui.widgets.dashboard import Dashboard
from fetalstream.tui.widgets.review import Review
from fetalstream.tui.widgets.screens import Help
from fetalstream.tui.widgets.sheet import Sheet


class Screens:
    """Opens screens over the dashboard, and chooses what the dashboard shows.

    Args:
        app: whose stack the screens are pushed on.
        host: the same app, as the parts know it.
        dashboard: the screen beneath.
        operator: takes the decisions about best frames.
        pictures: of best frames.
        clock_ns: the monotonic clock that ages are counted by.
    """

    def __init__(
        self, app: App[Any], host: Host, dashboard: Dashboard, operator: Operator, pictures: KeptPictures,
        clock_ns: Callable[[], int],
    ) -> None:  # fmt: skip
        self._app, self._host, self._dashboard = app, host, dashboard
        self._operator, self._pictures, self._clock_ns = operator, pictures, clock_ns

    def review(self, at: int | None = None) -> None:
        """Open the best frames beside their candidates, at a place of the checklist or at the first best frame."""
        if self._host.selected is not None:
            self._app.push_screen(Review(self._checklist, self._operator, self._pictures, lambda: self._host.said, at))

    def views(self) -> None:
        """Open all views in pictures; the one that is chosen there is opened in the review."""
        if self._host.selected is not None:

            def chosen(place: int | None) -> None:
                if place is not None:
                    self.review(place)

            self._app.push_screen(Sheet(self._checklist, self._pictures), chosen)

    def help(self) -> None:
        """Open the list of keys and words."""
        self._app.push_screen(Help())

    def toggle_overview(self) -> None:
        """Show all streams as tiles, or one in full again."""
        self._dashboard.toggle_overview(not self._dashboard.has_class("overview"))

    def show_stream(self, number: int) -> None:
        """Show the stream of that number, from 1, in full; nothing if there are not so many."""
        names = self._host.session.names
        if number <= len(names):
            self._show(names[number - 1])
            self._dashboard.toggle_overview(False)

    def show_next_stream(self, step: int) -> None:
        """Show the stream ``step`` places further in the row, from the last to the first."""
        names = self._host.session.names
        if self._host.selected in names:
            self._show(names[(names.index(self._host.selected) + step) % len(names)])

    def _show(self, stream: str) -> None:
        self._host.selected = stream
        self._host.redraw()

    def _checklist(self) -> tuple[StreamView, list[ChecklistItem], int] | None:
        """Return the chosen stream, its checklist and the time, all as of now; None without a stream."""
        view, now_ns = self._host.session.streams.get(self._host.selected or ""), self._clock_ns()
        return None if view is None else (view, items(self._host.protocol, view, now_ns), now_ns)
