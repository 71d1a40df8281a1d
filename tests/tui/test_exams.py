from tests.tui.recorded import PER_SECOND, Scan, recorded
from tui.exams import exams_of
from tui.replay import Recording


def test_each_examination_is_told_of_as_it_stood_at_its_end(tmp_path):
    first, second = exams_of(Recording(recorded(tmp_path)))
    assert (first.exam, second.exam) == ("exam-a", "exam-b")
    assert (first.readings, second.readings) == (70, 10)
    assert first.seconds == 69 / PER_SECOND
    assert first.view.choices.best["brain"].keyframe == "a" * 32  # accepted, though the other scored higher
    assert "femur" not in first.view.choices.best  # rejected
    assert set(first.keyframes) == {letter * 32 for letter in "abcde"}
    assert [event.event for event in first.events] == ["mark", "freeze", "decision", "decision"]
    assert second.view.choices.best == {}
    assert second.view.gestation is None


def test_states_and_scales_are_those_of_all_readings(tmp_path):
    first, _ = exams_of(Recording(recorded(tmp_path)))
    assert [span.plane for span in first.states] == ["live", "frozen"]
    assert first.spacings == {(0.21, "phantom"): 70}


def test_streams_are_apart_and_an_empty_session_has_none(tmp_path):
    with Scan(tmp_path / "empty") as made:
        pass
    assert exams_of(Recording(made.store.folder)) == []
    with Scan(tmp_path / "two") as made:
        made.look("brain", 3)
        made.look("femur", 2, stream="stream-2")
    assert [(exam.stream, exam.readings) for exam in exams_of(Recording(made.store.folder))] == [
        ("stream-1", 3),
        ("stream-2", 2),
    ]
