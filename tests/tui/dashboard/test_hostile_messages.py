"""Messages with something odd in them, as long as they can be read, are drawn, and the dashboard goes on."""

import random

import msgspec
import pytest

from fetalstream.pipeline import wire
from tests.tui import scan
from tests.tui.bench import bench
from tests.tui.record.test_hostile_sessions import spoilt

MESSAGES = 150


def odd_messages(rng: random.Random, now_ns: int) -> list[wire.Message]:
    """As many as can be read."""
    plain = [
        msgspec.to_builtins(each)
        for each in (
            scan.reading(now_ns, "brain"), scan.health(now_ns), scan.keyframe(now_ns, "brain"),
            scan.event(now_ns, "mark", text="a note"), scan.preview(now_ns),
            scan.event(now_ns, "decision", number=1, keyframe="a", verdict="accept"),
        )
    ]  # fmt: skip
    found: list[wire.Message] = []
    while len(found) < MESSAGES:
        try:
            message = spoilt(rng.choice(plain), rng)
            found.append(wire.decode(msgspec.json.encode(message)))
        except (msgspec.DecodeError, OverflowError):
            continue
    return found


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.check) for seed in range(1, 20))])
async def test_the_dashboard_goes_on(seed: int) -> None:
    rng = random.Random(seed)
    async with bench() as b:
        for message in odd_messages(rng, b.clock()):
            b.feed.put(message, blob=rng.choice([scan.ramp(), b"", b"\xff\xd8\xff", rng.randbytes(200)]))
        for key in ("", "o", "o", "b", "escape", "v", "escape"):
            await b.pilot.press(*key.split())
            b.dashboard.all_due()
            b.app.tick()
            await b.pilot.pause()
            assert b.app.is_running
        b.feed.put(scan.reading(b.clock(), "femur"))
        await b.later(1)
        assert b.app.is_running
