from pathlib import Path

from fetalstream.pipeline import wire
from fetalstream.pipeline.wire import results
from fetalstream.tui.run.persisted_settings import PersistedSettings

STREAMS = ["a", "b"]


def test_a_new_engine_goes_on_with_what_was_set(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    before = PersistedSettings(path)
    assert [before.exam_of(stream, "first") for stream in STREAMS] == ["first", "first"]
    before.note(wire.SetSector(stream="a", sector=[0, 0, 9, 9]), results.Nothing(), STREAMS)
    before.note(wire.SetSector(stream="a", sector=[1, 1, 9, 9]), results.Nothing(), STREAMS)
    before.note(wire.SetSpacing(stream="b", spacing_mm=0.2), results.Nothing(), STREAMS)
    before.note(wire.Pause(), results.Nothing(), STREAMS)
    before.note(wire.Resume(), results.Nothing(), STREAMS)
    before.note(wire.Mark(text="x"), results.Nothing(), STREAMS)
    before.note(wire.NewExam(stream="b"), results.ExamBegun(exam="second"), STREAMS)

    after = PersistedSettings(path)
    assert [after.exam_of(stream, "third") for stream in STREAMS] == ["first", "second"]
    assert after.commands() == [
        wire.SetSector(stream="a", sector=[1, 1, 9, 9]),
        wire.SetSpacing(stream="b", spacing_mm=0.2),
        wire.Resume(),
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["orders.json"]


def test_a_new_exam_of_all_streams(tmp_path: Path) -> None:
    orders = PersistedSettings(tmp_path / "orders.json")
    for stream in STREAMS:
        orders.exam_of(stream, "first")
    orders.note(wire.NewExam(), results.ExamBegun(exam="second"), STREAMS)
    assert [orders.exam_of(stream, "third") for stream in STREAMS] == ["second", "second"]


def test_what_was_said_of_the_scale_ends_with_the_layout_and_may_be_said_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.json"
    before = PersistedSettings(path)
    before.note(wire.SetSpacing(stream="a", spacing_mm=0.2), results.Nothing(), STREAMS)
    before.note(wire.SetSpacing(stream="b", spacing_mm=0.3), results.Nothing(), STREAMS)
    before.scale_over("a")
    assert [before.has_scale_of(stream) for stream in STREAMS] == [False, True]

    after = PersistedSettings(path)
    assert [after.has_scale_of(stream) for stream in STREAMS] == [False, True]
    assert after.commands() == [wire.SetSpacing(stream="b", spacing_mm=0.3)]

    after.note(wire.SetSpacing(stream="a", spacing_mm=0.4), results.Nothing(), STREAMS)
    assert wire.SetSpacing(stream="a", spacing_mm=0.4) in PersistedSettings(path).commands()
    after.scale_over("a")
    assert PersistedSettings(path).commands() == [wire.SetSpacing(stream="b", spacing_mm=0.3)]


def test_a_scale_that_was_said_of_the_only_stream_without_its_name_ends_too(tmp_path: Path) -> None:
    orders = PersistedSettings(tmp_path / "orders.json")
    orders.note(wire.SetSpacing(spacing_mm=0.2), results.Nothing(), ["a"])
    orders.scale_over("a")
    assert orders.commands() == []
