import msgspec
import pytest

from fetalstream.pipeline import wire
from fetalstream.pipeline.bus.replies import Replies, done, failed
from fetalstream.pipeline.wire import results


def test_a_result_is_sent_as_plain_json_with_its_blob_in_a_part_of_its_own() -> None:
    header, blob = done("id-1", results.Saved(ids=["k"]), b"png")
    reply = msgspec.json.decode(header, type=wire.Reply)
    assert (reply.id, reply.ok, reply.result, reply.error) == ("id-1", True, {"ids": ["k"], "clips": []}, None)
    assert blob == b"png"
    assert len(done("id-1", results.Nothing())) == 1


def test_what_was_published_is_passed_on_as_it_is() -> None:
    (header,) = done("id-1", results.Missed(messages=[msgspec.Raw(b'{"a": 1}')], oldest=0, newest=0, more=False))
    assert b'{"a": 1}' in header


def test_a_refusal_says_why() -> None:
    (header,) = failed("id-1", "no such stream")
    assert msgspec.json.decode(header) == {"id": "id-1", "ok": False, "error": "no such stream"}


def test_first_replies_are_kept_within_number_and_bytes_the_newest_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetalstream.pipeline.bus.replies._REPLIES_KEPT", 3)
    monkeypatch.setattr("fetalstream.pipeline.bus.replies._REPLIES_BYTES", 100)
    replies = Replies()
    for number in range(5):
        replies.add(f"id-{number}", [b"x"])
    assert [number for number in range(5) if replies.get(f"id-{number}")] == [2, 3, 4]
    replies.add("large", [bytes(99)])
    assert replies.get("id-4") == [b"x"]
    assert replies.get("id-3") is None
    replies.add("larger than all", [bytes(200)])
    assert replies.get("large") is None
    assert replies.get("larger than all") == [bytes(200)]  # whoever asked for it may ask again
