import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.stamper import MessageStamper
from fetalstream.pipeline.wire.schema import schema, text
from tests.scripted_engine import frame_info, health, reading

KEPT = Path(__file__).parents[3] / "docs" / "wire.schema.json"
VALIDATOR = Draft202012Validator(schema())

MESSAGES: list[wire.Message] = [
    reading(0),
    reading(1, gestation=None, gestation_missing="not_brain", quality=None, plane=None),
    wire.Keyframe(
        keyframe="id", plane="brain", subplane=None, score=0.5, parts={}, frame=frame_info(0), gestation=None
    ),
    wire.Preview(width=1, height=1, frame=frame_info(0)),
    wire.Embedding(frame=frame_info(0), dim=4, dtype="float16"),
    wire.Event(event="mark", detail={"text": "here", "deep": [1, None]}),
    health(),
    wire.Goodbye(reason="over"),
]


def plain(message: Any) -> dict[str, Any]:
    return json.loads(wire.encode(message))


def test_the_kept_schema_is_current() -> None:
    assert KEPT.read_text(encoding="utf-8") == text(), (
        "run: python -m fetalstream.pipeline.wire.schema docs/wire.schema.json"
    )
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: wire.kind_of(message))
def test_every_kind_of_message_is_valid_and_readers_may_see_more_fields(message: wire.Message) -> None:
    header = plain(MessageStamper("run-a").stamp(message))
    VALIDATOR.validate(header)
    VALIDATOR.validate({**header, "of a later version": 1})


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: wire.kind_of(message))
def test_a_header_without_any_of_its_fields_is_not(message: wire.Message) -> None:
    header = plain(MessageStamper("run-a").stamp(message))
    for name in header:
        assert not VALIDATOR.is_valid({key: value for key, value in header.items() if key != name}), name


@pytest.mark.parametrize(
    "wrong", [{"kind": "else"}, {"seq": -1}, {"schema": 2}, {"notice": ""}, {"run": ""}, {"state": "odd"}, {"plane": 3}]
)
def test_wrong_values_are_not(wrong: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({**plain(MessageStamper("run-a").stamp(reading(0))), **wrong})


def test_requests_and_replies_are_defined_too() -> None:
    for name, message in {
        "Request": wire.Request(id="i", command="state"),
        "Reply": wire.Reply(id="i", ok=False, error="no"),
    }.items():
        Draft202012Validator({**schema(), "oneOf": [{"$ref": f"#/$defs/{name}"}]}).validate(
            msgspec.to_builtins(message)
        )
