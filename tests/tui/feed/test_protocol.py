from typing import Any

import msgspec
import pytest

from fetalstream.pipeline import wire
from fetalstream.tui.feed.protocol import RequestFailed, state_from
from tests.scripted_engine import reading

STATE = wire.EngineState(
    run="run-a",
    streams=[wire.StreamState(stream="stream-1", sector=[(0, 0), (9.5, 0), (9, 9)], reading=reading(3))],
    endpoints=wire.Endpoints("ipc://a", "ipc://b", "ipc://c"),
    topics={"reading/stream-1": 3},
)


def test_a_state_comes_back_from_its_json() -> None:
    assert state_from(msgspec.json.decode(msgspec.json.encode(STATE))) == STATE


def test_a_state_of_another_version_is_read_as_far_as_it_goes() -> None:
    plain = msgspec.to_builtins(STATE)
    assert state_from({**plain, "later": {"x": 1}}) == STATE
    assert state_from({"run": "run-a", "streams": [{"stream": "stream-1"}]}).streams[0].width is None


@pytest.mark.parametrize("wrong", [{"streams": 3}, {"streams": [{}]}, {"topics": {"a": "b"}}, {"endpoints": "ipc://a"}])
def test_a_state_that_cannot_be_read_is_one_line(wrong: dict[str, Any]) -> None:
    with pytest.raises(RequestFailed, match="cannot be read") as caught:
        state_from(wrong)
    assert "\n" not in str(caught.value)
