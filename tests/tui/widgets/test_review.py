"""The review of best frames, in an app of its own: what it shows, and where its decisions go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from textual.pilot import Pilot

from fetalstream.tui.widgets.review import TIGHT_COLUMNS, Review
from tests.tui import scan
from tests.tui.best_frames import FRAMES, PARTS, Reviewed
from tests.tui.scan import START
from tests.tui.stage import Stage


@dataclass
class Shown:
    app: Stage
    review: Review
    given: Reviewed
    pilot: Pilot[None]

    async def text(self, *keys: str) -> str:
        await self.pilot.press(*keys)
        self.review.draw()
        await self.pilot.pause()
        return self.app.text()


@asynccontextmanager
async def shown(
    given: Reviewed | None = None, at: int | None = None, size: tuple[int, int] = (140, 45)
) -> AsyncIterator[Shown]:
    given, app = given or Reviewed(), Stage()
    review = Review(given.look, given, given.pictures, lambda: given.said, at)
    async with app.run_test(size=size) as pilot:
        app.show(review)
        await pilot.pause()
        await pilot.pause()
        yield Shown(app, review, given, pilot)


async def test_it_begins_at_the_first_view_that_has_a_frame() -> None:
    async with shown() as s:
        text = await s.text()
        assert "best: femur" in text
        assert "candidate: femur" in text
        assert "score 0.70 · 60s ago" in text
        assert "score 0.50 · 61s ago" in text


async def test_it_begins_at_the_view_that_was_chosen() -> None:
    async with shown(at=7) as s:
        text = await s.text()
        assert "best: spine" in text
        assert "no candidate" in text


async def test_without_a_frame_it_says_what_to_do() -> None:
    async with shown(at=0) as s:
        text = await s.text()
        assert "nothing yet: not seen yet" in text
        assert "no candidate" in text


async def test_the_parts_of_a_score_and_what_lowers_it_are_shown() -> None:
    async with shown() as s:
        text = await s.text()
        for part in ("prob 0.90", "on plane 0.95", "sharp 0.41", "steady", "not sharp"):
            assert part in text


async def test_age_and_section_of_a_brain_frame_are_shown() -> None:
    async with shown(Reviewed(scan.reading(START), scan.keyframe(START, "brain", 0.6))) as s:
        assert "best: brain, thalamic · 20w3d" in await s.text()


async def test_on_a_narrow_screen_words_are_shorter_and_in_more_rows() -> None:
    async with shown(size=(80, 24)) as s:
        text = await s.text()
        assert TIGHT_COLUMNS > 80
        assert s.review.has_class("tight")
        assert "0.70 · 60s ago" in text
        assert "not sharp (0.41)" in text
        assert "score 0.70" not in text


async def test_views_are_gone_through_in_a_ring() -> None:
    async with shown() as s:
        assert "nothing yet" in await s.text("down")
        assert "best: femur" in await s.text("k")
        for _ in range(9):
            await s.pilot.press("up")
        assert "best: femur" in await s.text()


@pytest.mark.parametrize(
    ("key", "made"),
    [
        ("a", ("accept", "id-femur-0.7")),
        ("enter", ("accept", "id-femur-0.7")),
        ("c", ("accept", "id-femur-0.5")),
        ("r", ("reject", "id-femur-0.7")),
        ("l", ("relabel", "id-femur-0.7")),
        ("u", ("undo",)),
    ],
)
async def test_keys_decide(key: str, made: tuple[str, ...]) -> None:
    async with shown() as s:
        await s.text(key)
        assert s.given.made == [made]


@pytest.mark.parametrize("key", ["a", "c", "r", "l"])
async def test_without_a_frame_there_is_nothing_to_decide(key: str) -> None:
    async with shown(at=0) as s:
        await s.text(key)
        assert s.given.made == []


async def test_the_answer_to_a_decision_stands_in_the_place_of_the_keys() -> None:
    async with shown() as s:
        assert "esc close" in await s.text()
        s.given.said = ("Accepted, on record", "good")
        text = await s.text()
        assert "Accepted, on record" in text
        assert "esc close" not in text


async def test_a_decision_changes_what_is_shown() -> None:
    reject = scan.event(START, "decision", number=1, keyframe="id-femur-0.7", verdict="reject")
    async with shown() as s:
        s.given.view = scan.view(*FRAMES, reject)
        text = await s.text()
        assert "score 0.50" in text
        assert "no candidate" in text


async def test_an_accepted_frame_is_marked() -> None:
    accept = scan.event(START, "decision", number=1, keyframe="id-femur-0.5", verdict="accept")
    async with shown(Reviewed(*FRAMES, accept)) as s:
        text = await s.text()
        assert "accepted: femur" in text
        assert "✔ femur" in text


async def test_a_snapshot_says_that_it_is_one() -> None:
    snapshot = scan.keyframe(START, "femur", 0.4, chosen_by="operator", parts=PARTS)
    async with shown(Reviewed(scan.reading(START), snapshot)) as s:
        assert "snapshot: femur" in await s.text()


async def test_pictures_are_fetched_shown_or_said_to_be_gone() -> None:
    async with shown() as s:
        assert (await s.text()).count("fetching") == 2
        s.given.kept["id-femur-0.7"] = scan.ramp()
        await s.given.fetch()
        text = await s.text()
        assert "fetching" not in text
        assert text.count("not kept any more") == 1
        assert "▀" in text or s.review._frames[0]._jpeg is not None


async def test_a_stream_that_vanishes_leaves_what_was_shown_and_takes_no_decisions() -> None:
    async with shown() as s:
        s.given.view = None
        text = await s.text("a", "down")
        assert "best: femur" in text
        assert s.given.made == []


async def test_fewer_views_are_no_trouble() -> None:
    async with shown(at=8) as s:
        s.given.view = scan.view(scan.reading(START, planes=scan.scores(("femur", "other"), "femur"), plane="femur"))
        assert "nothing yet" in await s.text()


async def test_a_list_longer_than_the_screen_follows_the_chosen_view() -> None:
    labels = tuple(f"view {n}" for n in range(60))
    many = scan.reading(START, "view 59", planes=scan.scores((*labels, "other"), "view 59"))
    async with shown(Reviewed(many), at=59, size=(80, 24)) as s:
        text = await s.text()
        assert "view 59" in text
        assert "view 3 " not in text
