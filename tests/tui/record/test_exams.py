from fetalstream.tui.record.exams import exams_of
from fetalstream.tui.record.replay import Recording
from tests.tui import scan
from tests.tui.recorded import PER_SECOND, Scan, png, recorded


def test_each_examination_is_told_of_as_it_stood_at_its_end(tmp_path):
    first, second = exams_of(Recording(recorded(tmp_path)))
    assert (first.exam, second.exam) == ("exam-a", "exam-b")
    assert (first.readings, second.readings) == (70, 10)
    assert first.seconds == 69 / PER_SECOND
    assert first.view.review.best["brain"].keyframe == "a" * 32  # accepted, though the other scored higher
    assert "femur" not in first.view.review.best  # rejected
    assert set(first.keyframes) == {letter * 32 for letter in "abcde"}
    assert [event.event for event in first.events] == ["mark", "freeze", "decision", "decision"]
    assert second.view.review.best == {}
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


def told_at(made, key, score, seconds, subplane=None, rank=1):
    moment = scan.frame(made.now_ns, round(seconds * 30))
    made.keep(key, "brain", score, png(1), frame=moment, subplane=subplane, rank=rank)


def test_runners_up_are_of_other_moments_and_one_of_each_section_comes_first(tmp_path):
    with Scan(tmp_path) as made:
        made.look("brain", 5)
        told_at(made, "near the best", 0.45, 9.5, "trans-ventricular", rank=0)
        told_at(made, "best", 0.6, 10, "trans-ventricular", rank=0)
        for place, score in enumerate((0.5, 0.4, 0.3, 0.2)):
            told_at(made, f"ventricular {place}", score, 20 + 10 * place, "trans-ventricular")
        told_at(made, "thalamic", 0.1, 80, "trans-thalamic")
        made.keep("femur", "femur", 0.5, png(2), frame=scan.frame(made.now_ns, 90 * 30))
    (exam,) = exams_of(Recording(made.store.folder))
    brain, femur = exam.shown()
    assert [each.keyframe for each in exam.runners_up(brain)] == ["thalamic", "ventricular 0", "ventricular 1"]
    assert exam.runners_up(femur) == []
