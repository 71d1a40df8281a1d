"""The dashboard driven by its keys, over a feed that a test fills and a clock that a test moves."""

import os
import signal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from textual.widgets import Footer

from fetalstream.pipeline import wire
from fetalstream.pipeline.wire import NOTICE, Goodbye
from fetalstream.tui.dashboard.app import FetalstreamApp
from fetalstream.tui.state.recording_status import RecordingStatus
from fetalstream.tui.widgets.overview import Tile
from fetalstream.tui.widgets.screens import ConfirmNewExam, Help
from fetalstream.tui.widgets.text_block import TextBlock
from fetalstream.tui.widgets.thumbnails import Thumbnail
from tests.tui import scan
from tests.tui.bench import bench
from tests.tui.scan import START, Clock, ListFeed

SIZES = [(80, 24), (140, 45)]


@pytest.mark.parametrize("size", SIZES)
async def test_everything_an_operator_needs_is_on_the_screen(size: tuple[int, int]) -> None:
    async with bench(size) as b:
        b.put_streams("stream-1")
        b.feed.put(scan.keyframe(START, score=0.87), scan.event(START, text="here"))
        await b.shows("LIVE", "stream-1", "mini", "UNCALIBRATED", "19w1d", "124 frames", "thalamic", NOTICE)
        await b.shows("29.7", "p99 61", "0.87", "here", "Pause", "Quit", "▀")
        assert b.app.screen.query_one(Footer).display


async def test_the_wide_layout_has_trend_log_and_checklist() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        await b.shows("checklist", "0 of 9 views", "age over the exam", "events")
        await b.pilot.resize_terminal(80, 24)
        await b.later(1)
        assert "age over the exam" not in b.screen()


@pytest.mark.parametrize("size", SIZES)
async def test_stale_cannot_be_missed_and_old_results_leave_the_screen(size: tuple[int, int]) -> None:
    async with bench(size) as b:
        b.put_streams("stream-1")
        await b.shows("19w1d")
        await b.later(1.5)
        await b.shows("STALE 1.5 s")
        assert b.screen().count("STALE") >= 2
        await b.later(2)
        await b.shows("NO DATA")
        assert "19w1d" not in b.screen()
        assert "▀▀▀ ▀  ▀" not in b.screen()
        b.feed.put(scan.reading(b.clock(), seq=1))
        await b.later(0.3)
        await b.shows("LIVE")


async def test_pause_holds_the_screen_while_messages_are_taken_in() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("19w1d")
        await b.pilot.press("p")
        await b.later(10)
        b.feed.put(scan.reading(b.clock(), seq=1, gestation=scan.age(200)))
        await b.later(0.3)
        await b.shows("PAUSED 0:10", "19w1d")
        assert b.feed.waiting == []
        view = b.app.session.streams["stream-1"]
        assert view.gestation is not None
        assert view.gestation.days == 200
        assert set(b.feed.names) <= {"keyframes", "since"}
        await b.pilot.press("p")
        await b.later(0.3)
        await b.shows("27w2d")
        assert "PAUSED" not in b.screen()


@pytest.mark.parametrize(
    ("keys", "command", "args", "done"),
    [
        ("m enter", "mark", {"text": ""}, "Mark set on stream-1"),
        ("m h i enter", "mark", {"text": "hi"}, "Mark set on stream-1"),
        ("s", "snapshot", {}, "Snapshot taken on stream-1"),
        ("slash h i enter", "ask", {"text": "hi"}, "Asked on stream-1"),
        ("slash enter", "ask", {"text": None}, "Nothing is asked any more"),
        ("e 0 full_stop 2 enter", "set_spacing", {"spacing_mm": 0.2}, "Scale set on stream-1"),
        ("e enter", "set_spacing", {"spacing_mm": None}, "Scale set on stream-1"),
        ("r enter", "set_sector", {"sector": "auto"}, "Scan region set on stream-1"),
        ("n y", "new_exam", {}, "New exam on stream-1"),
    ],
)
async def test_keys_command_the_engine_and_its_answer_is_shown(
    keys: str, command: str, args: dict[str, object], done: str
) -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        await b.pilot.press(*keys.split())
        await b.shows(done)
        assert wire.command_from(command, {"stream": "stream-1", **args}) in b.feed.asked
        await b.later(9)
        assert done not in b.screen()


async def test_a_refusal_is_shown_in_its_own_words() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        b.feed.refusal = "the engine does not answer: is it running?"
        await b.pilot.press("s")
        await b.shows("the engine does not answer")


async def test_a_new_exam_is_asked_for_once() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        await b.pilot.press("n")
        assert isinstance(b.app.screen, ConfirmNewExam)
        await b.pilot.press("n")
        assert not isinstance(b.app.screen, ConfirmNewExam)
        assert "new_exam" not in b.feed.names
        await b.pilot.press("n", "enter")
        await b.shows("New exam on stream-1")
        assert b.feed.asked.count(wire.NewExam(stream="stream-1")) == 1


async def test_keys_need_a_stream() -> None:
    async with bench(feed=ListFeed()) as b:
        await b.pilot.press("m")
        await b.shows("No stream yet")
        await b.pilot.press("n")
        assert not isinstance(b.app.screen, ConfirmNewExam)


async def test_help_tells_every_key_and_fits_the_small_screen() -> None:
    async with bench() as b:
        await b.pilot.press("question_mark")
        assert isinstance(b.app.screen, Help)
        await b.shows("choose a stream", "new exam", "STALE", "esc closes", "UNCALIBRATED")
        await b.pilot.press("escape")
        assert not isinstance(b.app.screen, Help)


async def test_streams_are_chosen_by_number_and_by_tab() -> None:
    async with bench() as b:
        b.put_streams("stream-1", "stream-2", "stream-3")
        await b.shows("1 ● stream-1", "3 ● stream-3")
        for key, chosen in (("3", "stream-3"), ("tab", "stream-1"), ("shift+tab", "stream-3"), ("9", "stream-3")):
            await b.pilot.press(key)
            assert b.app.selected == chosen
        await b.pilot.press("s")
        await b.until(lambda: wire.Snapshot(stream="stream-3") in b.feed.asked)


async def test_tab_does_not_change_the_stream_under_a_question() -> None:
    async with bench() as b:
        b.put_streams("stream-1", "stream-2")
        await b.shows("stream-2")
        await b.pilot.press("n", "tab", "enter")
        await b.until(lambda: wire.NewExam(stream="stream-1") in b.feed.asked)


async def test_the_overview_shows_every_stream_and_a_number_leads_back() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1", "stream-2", "stream-3")
        await b.shows("stream-3")
        await b.pilot.press("o")
        await b.until(lambda: b.screen().count("20w3d") >= 6)
        assert len(b.app.screen.query(Tile)) == 3
        await b.pilot.press("2")
        await b.shows("checklist")
        assert b.app.selected == "stream-2"


async def test_a_dashboard_that_comes_before_the_engine_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetalstream.tui.dashboard.connection.RECONNECT_EVERY_S", 0.01)
    feed = ListFeed(scan.STATE)
    feed.away = 3
    async with bench(feed=feed) as b:
        await b.until(lambda: "stream-1" in b.app.session.names)
        assert feed.away == 0


async def test_best_frames_of_before_are_fetched_on_arrival() -> None:
    feed = ListFeed(scan.STATE)
    feed.keyframes = [msgspec.to_builtins(scan.keyframe(START, score=0.66)), {"broken": 1}]
    async with bench(feed=feed) as b:
        b.put_streams("stream-1")
        await b.shows("0.66")


async def test_an_engine_that_came_back_is_asked_for_its_state_again() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        b.feed.put(scan.reading(b.clock(), run="run-b"))
        await b.until(lambda: "state" in b.feed.names)


async def test_the_end_of_the_source_is_shown() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        b.feed.put(Goodbye(run="run-a", reason="source ended"))
        await b.shows("ENDED")


async def test_nothing_from_outside_is_read_as_markup_or_escape() -> None:
    evil = "[/b]\x1b[2J[red]\u202e$(x)"
    state = replace(scan.STATE, model=wire.ModelState(name=evil), streams=[wire.StreamState(stream=evil, kind=evil)])
    async with bench((140, 45), ListFeed(state)) as b:
        planes = scan.scores((evil, "other"), evil)
        for key in ("stream-1", evil):
            b.feed.put(scan.reading(START, stream=key, planes=planes, plane=evil, subplane=evil, model=evil))
            b.feed.put(scan.health(START, stream=key, device=evil), scan.event(START, evil, **{evil: evil}))
        b.feed.refusal = evil
        await b.shows("[/b]")
        for key in ("tab", "m", "o", "n", "escape", "2"):
            await b.pilot.press(key)
            await b.later(0.6)
        assert "\x1b" not in b.screen()
        assert "\u202e" not in b.screen()


async def test_a_damaged_preview_stops_nothing() -> None:
    async with bench() as b:
        b.feed.put(scan.preview(START), blob=b"\xff\xd8 not a picture")
        b.feed.put(scan.reading(START))
        await b.shows("LIVE", "19w1d")


async def test_a_busy_terminal_gets_no_more_but_nothing_is_left_in_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        monkeypatch.setattr(b.app, "_terminal_busy", lambda: True)
        b.feed.put(scan.reading(b.clock(), "femur", seq=1))
        await b.later(2.5)
        assert b.feed.waiting == []
        assert "LIVE" in b.screen()
        monkeypatch.undo()
        await b.later(0.1)
        await b.until(lambda: "screen 2.6 s behind" in b.screen() or "STALE" in b.screen())


async def test_unchanged_text_is_not_drawn_again() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        panel = b.app.screen.query_one("#notice", TextBlock)
        assert not panel.show(panel.text)


@pytest.mark.parametrize("way", ["q", "SIGTERM"])
async def test_the_feed_is_closed_however_the_app_ends(way: str) -> None:
    async with bench() as b:
        if way == "q":
            await b.pilot.press("q")
        else:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(100):
                await b.pilot.pause(0.01)
                if b.feed.closed:
                    break
    assert b.feed.closed
    assert b.app.return_code == 0


async def test_after_the_app_a_signal_is_again_for_whoever_had_it_before() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        async with bench() as b:
            os.kill(os.getpid(), signal.SIGTERM)
            await b.until(lambda: not b.app.is_running or b.feed.closed)
        assert not heard
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_scrubbing_rewinds_picture_bars_and_age_together_while_live_goes_on() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("19w1d")
        b.app.past.scrollback.clear()  # what was known before there was anything
        for second in range(1, 21):
            b.app.tick()
            b.clock.forward(1)
            b.feed.put(scan.reading(b.clock(), "femur", seq=second, gestation=scan.age(200)))
            b.app.tick()
        await b.shows("27w2d", "femur")
        await b.pilot.press("shift+left")  # further back than there is anything
        await b.shows("PAUSED", "19w1d")
        await b.pilot.press("right", "right")
        await b.shows("PAUSED", "27w2d")
        assert b.app.past.held is not None
        await b.pilot.press("end")
        assert b.app.past.held is None
        await b.pilot.press("left", "p")
        assert b.app.past.held is None


async def test_read_only_only_looks() -> None:
    app = FetalstreamApp(feed := ListFeed(scan.STATE), clock_ns=Clock(), read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        feed.put(scan.reading(START), scan.keyframe(START))
        app.tick()
        for key in ("m", "s", "n", "slash", "e", "r", "b", "a", "escape"):
            await pilot.press(key)
        assert len(app.screen_stack) == 1
        assert set(feed.names) <= {"keyframes", "since"}


async def test_best_frames_are_reviewed_beside_their_candidates() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        b.feed.put(scan.keyframe(START, "abdomen", 0.5), scan.keyframe(START + 1, "abdomen", 0.7, seq=1))
        b.feed.pictures = {"id-abdomen-0.7": scan.ramp(), "id-abdomen-0.5": scan.ramp()}
        await b.shows("LIVE")
        await b.pilot.press("b")
        await b.shows("best: abdomen", "candidate: abdomen", "score 0.70", "score 0.50")
        await b.until(lambda: "fetching" not in b.screen())
        for keys, args in (
            ("a", {"keyframe": "id-abdomen-0.7", "verdict": "accept"}),
            ("c", {"keyframe": "id-abdomen-0.5", "verdict": "accept"}),
            ("r", {"keyframe": "id-abdomen-0.7", "verdict": "reject"}),
            ("l down enter", {"keyframe": "id-abdomen-0.7", "verdict": "relabel", "plane": "brain", "subplane": None}),
        ):
            await b.pilot.press(*keys.split())
            await b.until(lambda args=args: wire.command_from("decide", {"stream": "stream-1", **args}) in b.feed.asked)
        await b.pilot.press("u")
        await b.until(lambda: wire.Undo(stream="stream-1") in b.feed.asked)
        b.feed.put(scan.event(START, "decision", number=1, keyframe="id-abdomen-0.7", verdict="reject"))
        await b.shows("best: abdomen", "score 0.50", "no candidate")
        await b.pilot.press("down", "escape")
        assert len(b.app.screen_stack) == 1


async def test_a_protocol_is_chosen_from_the_list() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        await b.shows("0 of 9 views")
        await b.pilot.press("y", "down", "enter")
        await b.shows("0 of 7 views", "spine, with sacrum", "3 not assessable by the model")


async def test_moments_are_found_and_shown_as_they_were() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        b.feed.put(scan.event(START, text="fold"))
        await b.shows("LIVE")
        b.app.tick()
        await b.later(30)
        b.feed.put(scan.reading(b.clock(), "femur", seq=1))
        await b.shows("femur")
        await b.pilot.press("f", *"fold", "enter", "enter")
        await b.shows("PAUSED 0:30", "brain")
        await b.pilot.press("end", "f", *"moon", "enter")
        await b.shows("Nothing of that in this exam")


async def test_the_palette_offers_every_command() -> None:
    async with bench() as b:
        offered = {command.title for command in b.app.get_system_commands(b.app.screen)}
        assert {"Best frames", "Protocol", "Ask in words", "Set the scale", "Find a moment", "New exam"} <= offered
        await b.pilot.press("ctrl+p")
        await b.until(lambda: "Snapshot" in b.screen())
        await b.pilot.press("escape")


async def test_pausing_the_engine_is_a_command_of_its_own() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        b.app.operator.pause_engine()
        await b.shows("The engine is paused")
        b.feed.put(scan.health(START, paused=True))
        await b.shows("ENGINE PAUSED")
        b.app.operator.pause_engine()
        await b.until(lambda: [name for name in b.feed.names if name in ("pause", "resume")] == ["pause", "resume"])


async def test_that_nothing_is_recorded_stays_on_the_screen_until_it_is_mended() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        b.app.recording = RecordingStatus(None, "No space left on device in /sessions")
        await b.shows("NOT RECORDING: No space left", "19w1d")
        b.clock.forward(60)
        b.put_streams("stream-1")
        await b.shows("NOT RECORDING: No space left")
        b.app.recording = RecordingStatus(Path("/sessions/a"))
        await b.shows("● REC")
        assert "NOT RECORDING" not in b.screen()


async def test_the_views_are_seen_at_once_and_enter_looks_at_one_closely() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        b.feed.put(scan.keyframe(START, "abdomen", 0.5), scan.keyframe(START + 1, "femur", 0.7, seq=1))
        b.feed.pictures = {"id-abdomen-0.5": scan.ramp(), "id-femur-0.7": scan.ramp()}
        await b.shows("LIVE")
        await b.pilot.press("v")
        await b.shows("views", "abdomen", "0.50", "femur", "0.70", "not seen yet", "closer")
        await b.until(lambda: sum(bool(tile.preview._jpeg) for tile in b.app.screen.query(Thumbnail)) == 2)
        for key in ("right", "down", "up", "right", "enter"):  # three in a row
            await b.pilot.press(key)
        await b.shows("best: femur", "score 0.70")
        await b.pilot.press("escape")
        assert len(b.app.screen_stack) == 1
        await b.pilot.press("v", "v")
        assert len(b.app.screen_stack) == 1


async def test_what_the_engine_answers_is_seen_beside_the_best_frames() -> None:
    async with bench() as b:
        b.put_streams("stream-1")
        b.feed.put(scan.keyframe(START, "abdomen", 0.5))
        await b.shows("LIVE")
        await b.pilot.press("b", "a")
        await b.shows("Accepted, on record")
        b.feed.refusal = "there is no decision in this exam to take back"
        await b.pilot.press("u")
        await b.shows("there is no decision")
        await b.later(9)
        await b.shows("esc close")


async def test_on_a_tall_screen_the_views_stand_beneath_the_picture() -> None:
    async with bench((160, 60)) as b:
        b.put_streams("stream-1")
        b.feed.put(scan.keyframe(START, "femur", 0.7))
        b.feed.pictures = {"id-femur-0.7": scan.ramp()}
        await b.until(lambda: any(tile.preview._jpeg for tile in b.app.screen.query(Thumbnail)))
        await b.pilot.resize_terminal(120, 40)
        await b.until(lambda: not any(tile.size.height for tile in b.app.screen.query(Thumbnail)))


async def test_the_size_of_frames_is_told_once_the_first_has_come() -> None:
    (told,) = scan.STATE.streams
    feed = ListFeed(replace(scan.STATE, streams=[replace(told, width=None, height=None)]))
    async with bench((140, 45), feed=feed) as b:
        await b.shows("phantom")
        b.feed.state = scan.STATE
        b.put_streams("stream-1")
        await b.shows("640×480")
        assert b.feed.names.count("state") == 1


async def test_a_mark_or_snapshot_while_the_screen_is_held_is_told_to_be_of_now() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        await b.shows("LIVE")
        await b.pilot.press("p", "s")
        await b.shows("Snapshot taken on stream-1: of the picture of now, not of the one that is held")
        await b.pilot.press("m", "enter")
        await b.shows("Mark set on stream-1: of the picture of now")
        await b.pilot.press("end", "s")
        await b.shows("Snapshot taken on stream-1 ")


async def test_back_at_now_nothing_is_said_of_the_past_any_more() -> None:
    async with bench((140, 45)) as b:
        b.put_streams("stream-1")
        b.feed.put(scan.event(b.clock(), text="moon"))
        await b.later(9)
        b.put_streams("stream-1")
        await b.shows("LIVE")
        await b.pilot.press("f", *"moon", "enter", "enter")
        await b.shows("end leads back")
        await b.pilot.press("end")
        await b.until(lambda: "end leads back" not in b.screen())
