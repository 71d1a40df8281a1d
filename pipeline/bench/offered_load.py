"""Latency is measured under an offered load: live streams send frames whether or not the device keeps up."""

from __future__ import annotations

from typing import Any

from fetalstream.pipeline.bench.film import InMemory
from fetalstream.pipeline.bench.percentiles import percentiles
from fetalstream.pipeline.bench.runs import CountingSink
from fetalstream.pipeline.engine.engine import Engine
from fetalstream.pipeline.engine.stream_runner import make_stream
from fetalstream.pipeline.loaded_pipeline import LoadedPipeline
from fetalstream.pipeline.stream.probabilities import BankLookup
from fetalstream.streamer.frame import Pixels

RATE_HZ = 60.0
STREAMS = (1, 4, 16, 40)


def under_load(
    pipeline: LoadedPipeline,
    pictures: list[Pixels],
    bank: BankLookup,
    streams: int,
    seconds: float,
    rate_hz: float = RATE_HZ,
) -> dict[str, Any]:
    """Measure latency from capture to message, with ``streams`` played live at ``rate_hz`` each.

    Returns:
        ``streams``, ``latency_ms`` (p50 ... max), ``fps`` of all readings, ``dropped`` frames, and ``least_share``: the
        readings of the worst-served stream relative to an equal share.
    """
    sink = CountingSink()
    names = [f"stream-{number}" for number in range(1, streams + 1)]
    made = [
        make_stream(
            InMemory(pictures, rate_hz, count=max(1, round(seconds * rate_hz)), offset=11 * number),
            name, "bench", pipeline.model_info, bank, every_frame=False,
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    Engine(pipeline.encoder, made, sink).run()
    readings = sum(sink.by_stream.values())
    least = min(sink.by_stream.get(name, 0) for name in names)
    return {
        "streams": streams,
        "offered_fps": streams * rate_hz,
        "fps": round(readings / seconds, 2),
        "dropped": sum(sink.dropped.values()),
        "least_share": round(least * streams / readings, 3) if readings else None,
        "latency_ms": percentiles(sink.totals_ms),
    }
