import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.requests import BadRequest, cleaned, cleaned_text, parsed

ID = str(uuid.UUID(int=7))

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_a_request_is_read() -> None:
    request = parsed([msgspec.json.encode({"id": ID, "command": "mark", "args": {"text": "a"}, "later": 1})])
    assert request == (ID, wire.Mark(text="a"))


@pytest.mark.parametrize(
    "body",
    [
        [], [b""], [b"{}", b"{}"], [b"no json"], [b"\xff\xfe"], [b"[]"], [b"[" * 100_000],
        [b'{"id": 3, "command": "x"}'],
        [b'{"id": "%s"}' % ID.encode()], [b'{"id": "1", "command": "state"}'],
        [b'{"id": "%s", "command": "state", "args": []}' % ID.encode()],
        [b'{"id": "%s", "command": "fly"}' % ID.encode()],
        [b'{"id": "%s", "command": "mark", "args": {"text": ["a"]}}' % ID.encode()],
        [b'{"id": "%s", "command": "mark", "args": {"n": 1e999}}' % ID.encode()],
        [b'{"id": "%s", "command": "mark", "args": {"n": 1%s}}' % (ID.encode(), b"0" * 400)],
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_line(body: list[bytes]) -> None:
    with pytest.raises(BadRequest) as caught:
        parsed(body)
    assert "\n" not in str(caught.value)


def test_who_asked_wrongly_is_told_which_request_it_was() -> None:
    with pytest.raises(BadRequest) as caught:
        parsed([b'{"id": "%s", "command": 5}' % ID.encode()])
    assert caught.value.request_id == ID


@given(st.binary(max_size=200) | plain_json.map(msgspec.json.encode))
def test_no_bytes_do_worse_than_be_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parsed([body])


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


@given(plain_json)
def test_what_is_left_holds_nothing_that_a_terminal_obeys(value: Any) -> None:
    try:
        left = cleaned(value)
    except BadRequest:
        return
    # Not the JSON of it, in which control characters are escaped and would not be seen.
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for text in texts(left) for char in text)


def test_escapes_go_and_words_stay() -> None:
    assert cleaned_text("\x1b]0;title\x07mark") == "]0;titlemark"
    assert cleaned_text("two\nlines") == "two lines"
    assert len(cleaned_text("x" * 10_000)) == wire.TEXT_CHARACTERS
