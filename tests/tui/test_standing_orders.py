from pathlib import Path

from tui.standing_orders import StandingOrders

STREAMS = ["a", "b"]


def test_a_new_engine_goes_on_with_what_was_set(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    before = StandingOrders(path)
    assert [before.exam_of(stream, "first") for stream in STREAMS] == ["first", "first"]
    before.note("set_sector", {"stream": "a", "sector": [0, 0, 9, 9]}, {}, STREAMS)
    before.note("set_sector", {"stream": "a", "sector": [1, 1, 9, 9]}, {}, STREAMS)
    before.note("set_spacing", {"stream": "b", "spacing_mm": 0.2}, {}, STREAMS)
    before.note("pause", {}, {}, STREAMS)
    before.note("resume", {}, {}, STREAMS)
    before.note("mark", {"text": "x"}, {}, STREAMS)
    before.note("new_exam", {"stream": "b"}, {"exam": "second"}, STREAMS)

    after = StandingOrders(path)
    assert [after.exam_of(stream, "third") for stream in STREAMS] == ["first", "second"]
    assert after.orders() == [
        ("set_sector", {"stream": "a", "sector": [1, 1, 9, 9]}),
        ("set_spacing", {"stream": "b", "spacing_mm": 0.2}),
        ("resume", {}),
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["orders.json"]


def test_a_new_exam_of_all_streams(tmp_path: Path) -> None:
    orders = StandingOrders(tmp_path / "orders.json")
    for stream in STREAMS:
        orders.exam_of(stream, "first")
    orders.note("new_exam", {}, {"exam": "second"}, STREAMS)
    assert [orders.exam_of(stream, "third") for stream in STREAMS] == ["second", "second"]
