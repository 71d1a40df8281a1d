"""The rows along the edges of the screen: header, streams and health, each built to the width that there is."""

from __future__ import annotations

from rich.text import Text

from fetalstream.pipeline.wire import Health
from fetalstream.tui.state.freshness import Badge, badge
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.state.session import Session, StreamView
from fetalstream.tui.state.text import label_words, plain, stopwatch, weeks_days
from fetalstream.tui.widgets import palette

LAG_S = 0.5
"""A screen that is further behind than this says so loudly."""

_SEPARATOR = (" │ ", palette.LINE)
NOT_RECORDED = RecordingStatus()


def stamp(mark: Badge) -> Text:
    """Return a badge as text; one that warns stands out by its background, not by colour alone."""
    colour = palette.TONES[mark.tone]
    if mark.tone in ("warn", "bad"):
        return Text(f" {mark.words} ", style=f"bold {palette.INK} on {colour}")
    return Text(f"● {mark.words}", style=f"bold {colour}")


def header(
    session: Session, view: StreamView | None, now_ns: int, width: int, *,
    paused_s: float | None, played: str | None = None, recording: RecordingStatus = NOT_RECORDED,
) -> Text:  # fmt: skip
    """Return the header: state, recording, stream and model; UNCALIBRATED if the probabilities are.

    Args:
        session: all streams.
        view: the chosen stream.
        now_ns: the reader's clock.
        width: of the row, cells.
        paused_s: how long the screen has been held; None if it is not.
        played: the position in a recording.
        recording: whether the session is recorded.
    """
    name = Text(" fetalstream ", style=f"bold {palette.ACCENT}")
    state = Text(no_wrap=True, end="")
    if paused_s is not None:
        state.append(f" PAUSED {stopwatch(paused_s)} ", style=f"bold {palette.INK} on {palette.WARN}").append(" ")
    state.append_text(stamp(badge(view, now_ns, replay=session.replay) if view else Badge("CONNECTING", "quiet")))
    if recording.trouble is not None:
        state.append(" ").append(" NOT RECORDING ", style=f"bold {palette.INK} on {palette.BAD}")
    elif recording.runs:
        state.append(" ● REC", style=palette.BAD)
    if played is not None:
        state.append(f"  {played}", style=f"bold {palette.COLD}")
    stream = Text()
    if view is not None:
        stream.append(f"  {plain(view.stream, 16)}", style=palette.TEXT)
        stream.append(_facts(view, width), style=palette.MUTED)
    # What is said of the state and of the model is never cut: the names give way.
    least = state.cell_len + _model(session, view, now_ns, 0).cell_len
    for left in (Text.assemble(name, state, stream), Text.assemble(name, state), Text.assemble(" ", state)):
        if left.cell_len - state.cell_len + least < width:
            break
    left.no_wrap, left.end = True, ""
    return palette.spread(left, _model(session, view, now_ns, width - left.cell_len), width)


def _facts(view: StreamView, width: int) -> str:
    facts = view.facts
    if facts is None or width < 100:
        return ""
    size = f" {facts.width}×{facts.height}" if facts.width and facts.height else ""
    # A zoom changes it, and what the state reply said is old by then.
    spacing_mm = facts.spacing_mm if view.reading is None else view.reading.frame.spacing_mm
    spacing = f" {spacing_mm:.3f} mm/px" if spacing_mm else ""
    return f" {plain(facts.kind or '', 10)}{size}{spacing}"


def _model(session: Session, view: StreamView | None, now_ns: int, room: int) -> Text:
    model = session.model
    name = model.name or (view.reading.model if view is not None and view.reading is not None else "")
    text = Text(no_wrap=True, end="")
    if name:
        text.append(plain(name, 16), style=palette.TEXT)
    if room > 50:
        text.append(" " + plain(f"{model.device or ''} {model.precision or ''}", 20), style=palette.MUTED)
    if session.calibrated is False:
        text.append(" ").append(" UNCALIBRATED ", style=f"bold {palette.INK} on {palette.WARN}")
    if view is not None and view.exam_started_ns is not None:
        exam = stopwatch(view.since_published_s(view.exam_started_ns, now_ns))
        text.append(f"  exam {exam}" if room > text.cell_len + 14 else "", style=palette.MUTED)
    return text.append(" ")


def streams(session: Session, selected: str | None, now_ns: int, width: int) -> Text:
    """Return one tab a stream: the key that selects it, its state, plane and age."""
    room = max(12, (width - 1) // max(1, len(session.streams)) - 1)
    row = Text(" ", no_wrap=True, end="")
    for number, view in enumerate(session.streams.values(), start=1):
        mark = badge(view, now_ns, replay=session.replay)
        key = str(number) if number <= 9 else "·"
        words = [plain(view.stream, 14)]
        if mark.tone == "good" and view.reading is not None:
            words.append(label_words(view.reading.plane or "other"))
            age = "" if view.reading.gestation is None else weeks_days(view.reading.gestation.days)
            # An age that is cut short is another age.
            words += [age] if age and len(" ".join([*words, age])) + 6 <= room else []
        else:
            words.append(mark.words)
        tab = Text.assemble((f" {key} ", palette.MUTED), ("● ", palette.TONES[mark.tone]), " ".join(words) + " ")
        tab.truncate(room, overflow="ellipsis")
        tab.stylize(f"bold {palette.TEXT} on {palette.TRACK}" if view.stream == selected else palette.MUTED)
        row.append_text(tab).append(" ")
    return row


def health(view: StreamView | None, now_ns: int, width: int, *, behind_s: float = 0.0) -> Text:
    """Return rates, latency, losses, age and device; in a short row the last parts are left out."""
    row = Text(" ", no_wrap=True, end="")
    if view is None or view.health is None:
        return row.append("no word from the engine yet", style=palette.FAINT)
    if now_ns - (view.health_ns or 0) > 3_000_000_000:
        row.append(" ENGINE SILENT ", style=f"bold {palette.INK} on {palette.BAD}").append(" ")
    for part in _health_parts(view.health, view.reading_age_s(now_ns), behind_s + view.lag_ns / 1e9, width):
        if row.cell_len + part.cell_len + 4 > width:
            break
        if row.cell_len > 1:
            row.append(*_SEPARATOR)
        row.append_text(part)
    return row


def _health_parts(said: Health, age_s: float | None, lag_s: float, width: int) -> list[Text]:
    counts, latency = said.counts, said.latency_ms
    tight = width < 100
    return [
        Text.assemble(
            ("" if tight else "in ", palette.MUTED),
            f"{said.fps_in:.1f}",
            ("→" if tight else " → out ", palette.MUTED),
            f"{said.fps_out:.1f}",
            (" fps", palette.MUTED),
        ),
        _latency(latency.p50, latency.p99),
        _count("dropped" if not tight else "drop", counts.dropped, palette.WARN),
        *([] if tight and not counts.failed else [_count("failed", counts.failed, palette.BAD)]),
        Text.assemble(
            ("last frame " if not tight else "frame ", palette.MUTED), "–" if age_s is None else f"{age_s:.1f} s"
        ),
        Text.assemble(
            ("screen lag " if not tight else "lag ", palette.MUTED),
            (f"{lag_s:.1f} s", palette.TEXT if lag_s <= LAG_S else f"bold {palette.WARN}"),
        ),
        Text.assemble(plain(said.device, 16)),
        Text.assemble(f"{said.memory_mb:.0f}", (" MB", palette.MUTED)),
        _count("reconnects", said.reconnects, palette.WARN),
        Text.assemble(f"{counts.captured:,}", (" frames", palette.MUTED)),
    ]


def _latency(p50: float | None, p99: float | None) -> Text:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.0f}"

    muted = palette.MUTED
    return Text.assemble(("p50 ", muted), shown(p50), (" p99 ", muted), shown(p99), (" ms", muted))


def _count(name: str, count: int, colour: str) -> Text:
    return Text.assemble((f"{name} ", palette.MUTED), (f"{count:,}", f"bold {colour}" if count else palette.TEXT))
