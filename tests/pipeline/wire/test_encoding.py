import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline import wire
from tests.scripted_engine import health, reading


def test_a_message_comes_back_as_it_went() -> None:
    for message in (reading(3), health(), wire.Goodbye(reason="over", stream="stream-2")):
        assert wire.decode(wire.encode(message)) == message


def test_the_topic_is_kind_and_stream() -> None:
    assert wire.topic_of(wire.Goodbye(reason="over", stream="stream-2")) == b"goodbye/stream-2"


def test_a_reader_ignores_fields_of_a_later_version_and_says_where_a_known_one_is_wrong() -> None:
    plain = msgspec.to_builtins(wire.Goodbye(reason="over"))
    assert wire.decode(msgspec.json.encode({**plain, "later": [1]})) == wire.Goodbye(reason="over")
    with pytest.raises(msgspec.ValidationError, match=r"\$\.reason"):
        wire.decode(msgspec.json.encode({**plain, "reason": 3}))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_what_json_cannot_carry_is_refused_with_its_path(bad: float) -> None:
    event = wire.Event(event="mark", detail={"deep": [{"at": 1.0}, {"at": bad}]})
    with pytest.raises(wire.NotFinite, match=r"Event\.detail\.deep\[1\]\.at is not a finite number"):
        wire.encode(event)


@given(st.binary(max_size=100))
def test_no_bytes_do_worse_than_be_refused(header: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        wire.decode(header)
