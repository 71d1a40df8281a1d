import pytest

from fetalstream.pipeline.bus.stamper import MessageStamper, new_run, rfc3339
from fetalstream.pipeline.wire import Event, Goodbye


def test_messages_are_numbered_from_0_per_topic() -> None:
    stamp = MessageStamper("run-a", clock_ns=lambda: 7, wall_seconds=lambda: 0.25)
    events = [stamp.stamp(Event(stream=stream, event="mark")) for stream in ("a", "a", "b")]
    assert [event.seq for event in events] == [0, 1, 0]
    assert stamp.stamp(Goodbye(stream="a", reason="")).seq == 0
    first = events[0]
    assert (first.run, first.published_ns, first.wall_time) == ("run-a", 7, "1970-01-01T00:00:00.250Z")


def test_a_number_is_not_spent_on_what_could_not_be_sent() -> None:
    stamp = MessageStamper("run-a")
    with pytest.raises(RuntimeError), stamp.stamped(Event(event="mark")):
        raise RuntimeError
    assert stamp.stamp(Event(event="mark")).seq == 0


def test_runs_differ_and_times_are_utc() -> None:
    assert new_run() != new_run()
    assert rfc3339(1_800_000_000) == "2027-01-15T08:00:00.000Z"
