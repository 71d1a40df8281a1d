import random
from contextlib import suppress

import cv2
import msgspec
import numpy as np
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.engine.command_queue import COMMANDS_A_TURN, CommandError, CommandQueue
from fetalstream.pipeline.keyframes.stored_keyframe import StoredKeyframe
from fetalstream.pipeline.stream.analyzer import StreamAnalyzer
from fetalstream.pipeline.wire import results
from fetalstream.streamer.region.sector import Rectangle
from tests.pipeline.doubles import FACTS, bank, frame, picture
from tests.pipeline.stream.test_analyzer import brains, passed, readings
from tests.streamer.region.test_profiles import GOOD, SENSELESS

REFUSED = (CommandError, wire.BadCommand)
"""By the engine, or before it by the types of the arguments."""


class Reach:
    """The engine as far as commands reach it."""

    resumed = 0

    def __init__(self, *names):
        self.paused = False
        self.analyzers = [StreamAnalyzer(name, "exam-1", FACTS, bank) for name in names]
        self.now_ns = 10**12
        self.sent = []
        self.stopped = None

    def send(self, messages):
        self.sent += messages

    def stop(self, reason):
        self.stopped = reason

    def resume_captures(self):
        self.resumed += 1

    def state(self):
        return wire.EngineState()


@pytest.fixture
def reach():
    return Reach("stream-1", "stream-2")


@pytest.fixture
def ask(reach):
    commands = CommandQueue(reach, lambda: None)

    def carried_out(command, **args):
        reply = commands.submit(wire.command_from(command, args))
        commands.carry_out()
        return reply.result(0)

    return carried_out


def test_commands_wake_the_engine_and_wait_for_it(reach):
    woken = []
    commands = CommandQueue(reach, lambda: woken.append(1))
    reply = commands.submit(wire.Pause())
    assert woken
    assert not reply.done()
    commands.carry_out()
    assert reply.result(0) == results.Paused(paused=True)
    assert reach.paused


def test_an_unknown_stream_is_refused_with_the_choice(ask):
    with pytest.raises(CommandError, match="choose stream-1, stream-2"):
        ask("mark", stream="stream-9")


def test_a_mark_goes_to_one_or_all(ask, reach):
    ask("mark", text="a", stream="stream-2")
    ask("mark", text="b")
    assert [(m.stream, m.detail["text"]) for m in reach.sent] == [
        ("stream-2", "a"),
        ("stream-1", "b"),
        ("stream-2", "b"),
    ]


def test_a_new_exam_is_the_same_for_all_streams(ask, reach):
    exam = ask("new_exam").exam
    assert {analyzer.exam for analyzer in reach.analyzers} == {exam}
    other = ask("new_exam", stream="stream-2").exam
    assert [analyzer.exam for analyzer in reach.analyzers] == [exam, other]


def test_a_snapshot_can_be_fetched_listed_and_acknowledged(ask, reach):
    readings(reach.analyzers[0], [frame(0, picture(0))])
    (taken,) = ask("snapshot", stream="stream-1").keyframes
    assert [m.keyframe for m in reach.sent if isinstance(m, wire.Keyframe)] == [taken]
    kept = ask("keyframe", keyframe=taken)
    assert isinstance(kept, StoredKeyframe)
    decoded = cv2.imdecode(np.frombuffer(kept.png(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(decoded, picture(0))
    assert [(each.keyframe, each.stream) for each in ask("keyframes").keyframes] == [(taken, "stream-1")]
    assert ask("saved", ids=[taken, "unknown"]) == results.Saved(ids=[taken])
    with pytest.raises(CommandError, match="not kept"):
        ask("keyframe", keyframe="unknown")


def test_each_command_that_changes_something_is_an_event(ask, reach):
    readings(reach.analyzers[0], [frame(0, picture(0))])
    one = {"stream": "stream-1"}
    (taken,) = ask("snapshot", **one).keyframes
    ask("mark", text="here", **one)
    ask("decide", keyframe=taken, verdict="accept", **one)
    ask("undo", **one)
    ask("set_spacing", spacing_mm=0.2, **one)
    ask("set_sector", sector=None, **one)
    ask("ask", text=None, **one)
    ask("protocol", protocol="fasp-20-week", **one)
    ask("exported", what="report", **one)
    ask("new_exam", **one)
    ask("pause")
    ask("resume")
    events = [m.event for m in reach.sent if isinstance(m, wire.Event) and m.stream == "stream-1"]
    assert events == [
        "snapshot", "mark", "decision", "decision", "spacing_changed", "sector_changed", "asked", "protocol",
        "exported", "new_exam", "paused", "resumed",
    ]  # fmt: skip
    said = {m.event: m.detail for m in reach.sent if isinstance(m, wire.Event)}
    assert said["snapshot"] == {"keyframe": taken}
    assert said["protocol"] == {"protocol": "fasp-20-week"}
    assert said["asked"] == {"text": None, "note": None}


def test_a_snapshot_before_any_frame_is_refused(ask):
    with pytest.raises(CommandError, match="no frame"):
        ask("snapshot")


def test_decisions_are_told_to_all_and_taken_back_in_turn(ask, reach):
    analyzer = reach.analyzers[0]
    readings(analyzer, [frame(0, picture(0))])
    (taken,) = ask("snapshot", stream="stream-1").keyframes
    reach.sent.clear()
    assert ask("decide", stream="stream-1", keyframe=taken, verdict="accept")["number"] == 1
    ask("decide", stream="stream-1", keyframe=taken, verdict="relabel", plane=FACTS.planes[0])
    assert ask("undo", stream="stream-1") == {"number": 2, "keyframe": taken, "verdict": "undo", "of": "relabel"}
    ask("undo", stream="stream-1")
    assert [m.detail["verdict"] for m in reach.sent] == ["accept", "relabel", "undo", "undo"]
    assert {m.event for m in reach.sent} == {"decision"}
    with pytest.raises(CommandError, match="no decision"):
        ask("undo", stream="stream-1")


@pytest.mark.parametrize(
    "bad", [{"verdict": "maybe"}, {"verdict": "relabel"}, {"verdict": "relabel", "plane": "moon"}, {"keyframe": "x"}]
)
def test_a_senseless_decision_is_refused(ask, reach, bad):
    readings(reach.analyzers[0], [frame(0, picture(0))])
    (taken,) = ask("snapshot", stream="stream-1").keyframes
    with pytest.raises(REFUSED):
        ask("decide", **{"stream": "stream-1", "keyframe": taken, "verdict": "accept", **bad})
    with pytest.raises(CommandError, match="no decision"):
        ask("undo", stream="stream-1")


def test_decisions_end_with_the_examination(ask, reach):
    readings(reach.analyzers[0], [frame(0, picture(0))])
    (taken,) = ask("snapshot", stream="stream-1").keyframes
    ask("new_exam")
    with pytest.raises(CommandError, match="no best frame"):
        ask("decide", stream="stream-1", keyframe=taken, verdict="accept")


def test_pausing_is_on_record_once(ask, reach):
    ask("pause")
    ask("pause")
    ask("resume")
    assert [m.event for m in reach.sent] == ["paused", "paused", "resumed", "resumed"]  # two streams
    assert reach.resumed == 1


def test_spacing_and_sector_are_for_one_stream(ask, reach):
    with pytest.raises(CommandError, match="which stream"):
        ask("set_spacing", spacing_mm=0.5)
    ask("set_spacing", spacing_mm=0.5, stream="stream-1")
    ask("set_sector", sector=[0, 0, 30, 40], stream="stream-1")
    assert reach.analyzers[0].sector == Rectangle(0, 0, 30, 40)
    assert [m.event for m in reach.sent] == ["spacing_changed", "sector_changed"]
    assert readings(reach.analyzers[0], brains(1, spacing_mm=None))[0].frame.spacing_mm == 0.5


@pytest.mark.parametrize("bad", ["wide", -1, 0, float("nan"), float("inf"), [1]])
def test_a_senseless_spacing_is_refused(ask, bad):
    with pytest.raises(REFUSED):
        ask("set_spacing", spacing_mm=bad, stream="stream-1")


@pytest.mark.parametrize("bad", ["1,2,3,4", [1, 2, 3], [0, 0, 0, 5], [-1, 0, 5, 5], ["a", 0, 5, 5]])
def test_a_senseless_sector_is_refused(ask, bad, reach):
    with pytest.raises(REFUSED):
        ask("set_sector", sector=bad, stream="stream-1")
    assert reach.analyzers[0].sector is None


def test_stop_reaches_the_engine(ask, reach):
    ask("stop", reason="enough")
    assert reach.stopped == "enough"


def test_a_sector_that_does_not_fit_is_refused_with_the_frames_size(ask, reach):
    reach.analyzers[0].source_size = (640, 480)
    with pytest.raises(CommandError, match="does not fit in stream-1's frames of 640 x 480"):
        ask("set_sector", stream="stream-1", sector=[0, 0, 641, 480])
    assert reach.analyzers[0].sector is None
    assert not reach.sent
    ask("set_sector", stream="stream-1", sector=[0, 0, 640, 480])
    assert reach.analyzers[0].sector is not None


def test_after_the_end_commands_are_refused_at_once(reach):
    commands = CommandQueue(reach, lambda: None)
    before = commands.submit(wire.Pause())
    commands.close()
    after = commands.submit(wire.Pause())
    for reply in (before, after):
        with pytest.raises(CommandError, match="has stopped"):
            reply.result(0)


def test_a_turn_carries_out_so_many_commands_and_no_more(reach):
    commands = CommandQueue(reach, lambda: None)
    replies = [commands.submit(wire.GetState()) for _ in range(COMMANDS_A_TURN + 1)]
    commands.carry_out()
    assert [reply.done() for reply in replies] == [True] * COMMANDS_A_TURN + [False]
    assert commands.waiting
    commands.carry_out()
    assert replies[-1].done()
    assert not commands.waiting


EVERY = [
    {"command": "state"},
    {"command": "keyframes"},
    {"command": "saved", "ids": ["unknown"]},
    {"command": "mark", "text": "here"},
    {"command": "snapshot"},
    {"command": "new_exam"},
    {"command": "set_spacing", "spacing_mm": 0.5},
    {"command": "set_sector", "sector": [0, 0, 30, 40]},
    {"command": "ask"},
    {"command": "protocol", "protocol": "fasp-20-week"},
    {"command": "exported", "what": "report"},
    {"command": "pause"},
    {"command": "resume"},
    {"command": "stop"},
]


@pytest.mark.parametrize("said", EVERY, ids=lambda said: said["command"])
def test_a_result_is_of_the_type_that_the_command_names_and_events_have_their_details(said):
    reach = Reach("stream-1")
    readings(reach.analyzers[0], [frame(0, picture(0))])
    command = wire.command_from(said["command"], said)
    commands = CommandQueue(reach, lambda: None)
    reply = commands.submit(command)
    commands.carry_out()
    plain = msgspec.to_builtins(reply.result(0))
    assert msgspec.to_builtins(msgspec.convert(plain, command.result)) == plain
    for event in (each for each in reach.sent if isinstance(each, wire.Event)):
        assert msgspec.convert(event.detail, wire.EVENTS[event.event].detail) == event.detail


def test_decisions_are_of_the_type_that_their_command_names(ask, reach):
    readings(reach.analyzers[0], [frame(0, picture(0))])
    (taken,) = ask("snapshot", stream="stream-1").keyframes
    for verdict, label in (("accept", {}), ("reject", {}), ("relabel", {"plane": FACTS.planes[0]})):
        said = ask("decide", stream="stream-1", keyframe=taken, verdict=verdict, **label)
        assert msgspec.convert(said, wire.Decide.result) == said
    said = ask("undo", stream="stream-1")
    assert msgspec.convert(said, wire.Undo.result) == said


def test_what_the_control_channel_answers_is_not_the_engines(ask):
    for command in ({"kind": "event", "stream": "stream-1", "seq": 0}, {"keyframe": "k"}):
        with pytest.raises(CommandError, match="control channel"):
            ask("since" if "seq" in command else "clip", **command)


@pytest.mark.parametrize("changed", SENSELESS, ids=str)
def test_a_profile_that_cannot_be_meant_is_refused_and_frames_go_on(ask, reach, changed):
    with pytest.raises(REFUSED):
        ask("set_sector", stream="stream-1", sector={**GOOD, **changed})
    assert not reach.sent
    assert readings(reach.analyzers[0], [frame(0, picture(0))])


@pytest.mark.parametrize("seed", range(20))
def test_whatever_region_is_accepted_frames_go_on(ask, reach, seed):
    rng = random.Random(seed)
    odd = [None, True, 0, -1, 1e300, "auto", [], {}, [0, 0, 64, 64], [0, 0, 64.5, 1e9], [[0, 0], [9, 0], [5, 1e6]], 64]
    profile = {**GOOD, "width": 64, "height": 64, "look": []}
    sector = rng.choice([*odd, profile, profile, profile])
    if isinstance(sector, dict):
        sector = sector | {key: rng.choice([*odd, *GOOD.values()]) for key in rng.sample(sorted(profile), 1)}
    with suppress(*REFUSED):
        ask("set_sector", stream="stream-1", sector=sector)
    for index in range(3):
        passed(reach.analyzers[0], frame(index, picture(index)))
    assert reach.analyzers[0].counts(3, 0, 0).in_flight == 0
