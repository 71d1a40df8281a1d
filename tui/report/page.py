"""The report as one HTML page that fetches nothing and runs nothing; every text in it is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fetalstream.pipeline.wire import NOTICE, Event
from fetalstream.tui.record.exams import Exam
from fetalstream.tui.record.keyframe_files import CLIPS
from fetalstream.tui.record.replay import Recording
from fetalstream.tui.report import plots
from fetalstream.tui.report.pictures import embedded, map_of
from fetalstream.tui.report.plots import Growth
from fetalstream.tui.state import protocol_progress, text
from fetalstream.tui.state.keyframe_review import DECISION, BestFrame
from fetalstream.tui.state.scan_protocol import Protocol

MAX_EVENTS: Final = 300
_HERE: Final = Path(__file__).parent
_ACTS: Final = ("mark", DECISION, "new_exam", "paused", "resumed")
_SHORT_ID: Final = 8
_SMALL: Final = 320


def rendered(
    recording: Recording,
    exams: list[Exam],
    contexts: Mapping[int, Growth],
    protocol: Protocol | None,
    *,
    left_out: int = 0,
    written: str,
    version: str,
) -> str:
    """Return the page as HTML.

    Args:
        recording: the session, for its pictures, its model and its sources.
        exams: see `tui.record.exams.exams_of`.
        contexts: the growth of the exams that have an age, by their place in ``exams``.
        protocol: the views to collect; None for the model's own planes.
        left_out: older exams that the page does not hold.
        written: time of writing, RFC 3339.
        version: of fetalstream.
    """
    css = (_HERE / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["plain"] = text.plain
    return environment.get_template("page.html.j2").render(
        notice=NOTICE,
        css=Markup(css),  # noqa: S704 - our own file
        css_sum=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        uncalibrated=any(exam.readings and not exam.calibrated for exam in exams),
        started=_moment(str(recording.about.get("started", ""))),
        run=str(recording.about.get("run", "")),
        mismatch=recording.amiss(),
        left_out=left_out,
        exams=[_exam(recording, exam, place, contexts.get(place), protocol) for place, exam in enumerate(exams)],
        protocol=None if protocol is None else {"title": protocol.title, "source": protocol.source},
        provenance=_provenance(recording, exams),
        written=_moment(written),
        version=version,
    )


def _exam(
    recording: Recording, exam: Exam, place: int, context: Growth | None, protocol: Protocol | None
) -> dict[str, Any]:
    missing = recording.mismatch().pictures
    checked = protocol_progress.items(protocol, exam.view, exam.last_ns or exam.view.newest_published_ns)
    age = exam.view.gestation
    name = f"exam{place + 1}"
    grown = [] if age is None or context is None else plots.growth(age.days, age.low_days, age.high_days, context, name)
    acts = [event for event in exam.events if event.event in _ACTS]
    others = [event for event in exam.events if event.event not in _ACTS]
    return {
        "name": name,
        "stream": exam.stream,
        "id": exam.exam,
        "started": _moment(exam.started),
        "cards": _cards(exam, protocol_progress.completeness(checked)),
        "timeline": _drawings(plots.timeline(exam, f"{name}-planes")),
        "trend": _drawings(plots.trend(exam, f"{name}-age")),
        "growth": _drawings(grown),
        "head": None if age is None or context is None else _head(age.days, context),
        "items": [_item(item) for item in checked],
        "frames": [_frame(recording, exam, best, missing=best.keyframe in missing) for best in exam.shown()],
        "acts": [_event(exam, event) for event in acts],
        "others": [_event(exam, event) for event in others[:MAX_EVENTS]],
        "left_out": max(0, len(others) - MAX_EVENTS),
    }


def _drawings(svgs: list[str]) -> list[Markup]:
    return [Markup(svg) for svg in svgs]  # noqa: S704 - made by matplotlib, its texts escaped by the XML writer


def _cards(exam: Exam, completeness: str) -> list[tuple[str, str, str]]:
    """Return the cards on top: title, value, and a line of details."""
    age, last, health = exam.view.gestation, exam.view.reading, exam.view.health
    cards: list[tuple[str, str, str]] = []
    if age is not None:
        interval = f"90% interval {text.weeks_days(age.low_days)} to {text.weeks_days(age.high_days)}"
        rests = f"from {age.frames} frames at {age.zooms} zoom{'s' if age.zooms != 1 else ''}: {age.method}"
        cards.append(("gestational age", text.weeks_days(age.days), f"{interval}, {rests}"))
    else:
        missing = None if last is None else last.gestation_missing
        cards.append(("gestational age", "none", "no reading" if missing is None else text.MISSING_WORDS[missing]))
    cards.append(("views collected", completeness, f"{exam.view.snapshots} taken by the operator"))
    counts = None if health is None else health.counts
    lost = "" if counts is None else f"; on this stream {counts.dropped} dropped, {counts.failed} failed"
    cards.append(("readings", f"{exam.readings}", f"{exam.reused} of them repeated{lost}"))
    cards.append(("length", text.stopwatch(round(exam.seconds)), f"from {_moment(exam.started)}"))
    return cards


def _head(days: float, context: Growth) -> list[str]:
    lines = [
        f"{text.weeks_days(days)} is the age of a head of {context.head_mm:.0f} mm at the median of the WHO charts.",
        f"Heads of that size lie within the 2.5th to 97.5th percentile from {text.weeks_days(context.low_days)} to "
        f"{text.weeks_days(context.high_days)}: this spread between fetuses comes on top of the interval.",
    ]
    others = (("INTERGROWTH-21st", context.intergrowth_days), ("Hadlock 1984", context.hadlock_days))
    known = [f"{name} {text.weeks_days(other)}" for name, other in others if other is not None]
    return [*lines, f"The same head by other curves: {', '.join(known)}."] if known else lines


def _item(item: protocol_progress.ChecklistItem) -> dict[str, Any]:
    best = item.best
    return {
        "view": item.view.name,
        "state": item.state,
        "score": None if best is None or best.by_operator else text.probability(best.score),
        "advice": item.advice,
    }


def _frame(recording: Recording, exam: Exam, best: BestFrame, *, missing: bool) -> dict[str, Any]:
    announced = exam.keyframes.get(best.keyframe)
    spacing_mm = None if announced is None else announced.frame.spacing_mm
    facts = [f"at {text.stopwatch(exam.at_s(best.published_ns))}"]
    if spacing_mm is not None and announced is not None:
        facts.append(f"{spacing_mm:.3f} mm/px ({text.plain(announced.frame.spacing_from)})")
    if best.gestation is not None:
        facts.append(f"age {text.weeks_days(best.gestation.days)}")
    facts += [word for word, true in (("accepted", best.accepted), ("taken by the operator", best.by_operator)) if true]
    return {
        "plane": text.label_words(best.plane, 40),
        "subplane": None if best.subplane is None else text.label_words(best.subplane, 40),
        "score": None if announced is None or announced.score is None else text.probability(announced.score),
        "parts": [(name, value, text.probability(value)) for name, value in best.parts.items()],
        "facts": facts,
        "id": best.keyframe[:_SHORT_ID],
        "absent": "The picture was saved, and is missing" if missing else "The picture was not saved",
        "picture": embedded(recording.picture(best.keyframe)),
        "map": embedded(map_of(recording.folder, best.keyframe)),
        "clip": _clip(recording.folder, best.keyframe),
        "others": [_other(recording, exam, each) for each in exam.runners_up(best)],
    }


def _other(recording: Recording, exam: Exam, runner_up: BestFrame) -> dict[str, Any]:
    section = [] if runner_up.subplane is None else [text.label_words(runner_up.subplane, 40)]
    words = [*section, text.probability(runner_up.score), f"at {text.stopwatch(exam.at_s(runner_up.published_ns))}"]
    return {
        "words": ", ".join(words),
        "id": runner_up.keyframe[:_SHORT_ID],
        "picture": embedded(recording.picture(runner_up.keyframe), _SMALL),
    }


def _clip(folder: Path, keyframe: str) -> str | None:
    """Return where in the session the clip of a best frame lies; None if there is none."""
    file = CLIPS.path(keyframe, "")
    return file if (folder / file).is_file() else None


def _event(exam: Exam, event: Event) -> tuple[str, str]:
    when = text.stopwatch(exam.at_s(event.published_ns))
    if event.event != DECISION:
        return when, text.event_words(event.event, event.detail, 240)
    frame = exam.keyframes.get(str(event.detail.get("keyframe")))
    of = "" if frame is None else f" {text.label_words(frame.plane, 40)} {frame.keyframe[:_SHORT_ID]}"
    to = f" as {text.label_words(str(event.detail['plane']), 40)}" if event.detail.get("plane") else ""
    return when, text.plain(f"Decision {event.detail.get('number')}: {event.detail.get('verdict')}{of}{to}", 240)


def _provenance(recording: Recording, exams: list[Exam]) -> list[tuple[str, str]]:
    about = recording.about
    model = _mapping(about.get("model"))
    told = [(words, model.get(key)) for key, words in (
        ("name", "model"), ("weights_from", "weights"), ("weights_sha256", "weights, SHA-256"),
        ("prompts_sha256", "sentences, SHA-256"), ("calibrated", "calibrated"), ("calibrated_on", "calibrated on"),
        ("device", "device"), ("precision", "precision"),
    )]  # fmt: skip
    rows = [(words, _value_words(value)) for words, value in told]
    rows += [(f"version of {name}", str(value)) for name, value in _mapping(about.get("versions")).items()]
    for stream in recording.sources():
        for key, words in (("kind", "source"), ("source_sha256", "source, SHA-256"), ("sector", "scan region")):
            if stream.get(key) is not None:
                rows.append((f"{stream.get('stream')}: {words}", _value_words(stream[key])))
    return rows + [(f"{exam.stream}, from {_moment(exam.started)}: spacing", _scales(exam)) for exam in exams]


def _scales(exam: Exam) -> str:
    known = [scale for scale in exam.spacings if scale is not None]
    if not known:
        return "unknown"
    finest, coarsest = min(known)[0], max(known)[0]
    span = f"{finest:.3f}" if finest == coarsest else f"{finest:.3f} to {coarsest:.3f}"
    unknown = exam.spacings.get(None, 0)
    sources = ", ".join(sorted({source for _, source in known}))
    return f"{span} mm per pixel ({sources})" + (f"; unknown for {unknown} readings" if unknown else "")


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _value_words(value: Any) -> str:
    words = {None: "not said", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else text.plain(value, 400)


def _moment(stamp: str) -> str:
    """Return an RFC 3339 time to the second, as UTC; any other text stays as it is."""
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M:%S UTC")
    except ValueError:
        return text.plain(stamp)
