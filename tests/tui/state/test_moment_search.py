from fetalstream.tui.state.moment_search import MAX_MOMENTS, moments_with
from tests.tui import scan
from tests.tui.scan import SECOND, START


def test_moments_are_found_by_all_of_their_words() -> None:
    view = scan.view(
        scan.reading(START, None), scan.event(START + SECOND, "mark", text="nuchal fold"),
        scan.reading(START + 2 * SECOND, seq=1),
    )  # fmt: skip
    assert [moment.words for moment in moments_with(view, "FOLD mark")] == ["0:01  Mark · nuchal fold"]
    assert [moment.words for moment in moments_with(view, "brain")] == ["0:02  brain in view"]
    assert moments_with(view, "moon") == []


def test_best_frames_are_found_and_all_moments_come_newest_first() -> None:
    view = scan.view(
        scan.reading(START, "femur"), scan.keyframe(START + SECOND, "femur", 0.5),
        scan.event(START + 2 * SECOND, text="femur again"),
    )  # fmt: skip
    moments = moments_with(view, "femur")
    assert [moment.words for moment in moments] == [
        "0:02  Mark · femur again", "0:01  best femur", "0:00  femur in view",
    ]  # fmt: skip
    assert [moment.published_ns for moment in moments] == [START + 2 * SECOND, START + SECOND, START]


def test_times_without_a_plane_are_no_moments() -> None:
    assert moments_with(scan.view(scan.reading(START, None)), "view") == []


def test_events_of_an_exam_that_is_over_are_left_out() -> None:
    view = scan.view(
        scan.reading(START), scan.event(START + SECOND, text="old"),
        scan.reading(START + 2 * SECOND, seq=1, exam="exam-b"),
    )  # fmt: skip
    assert moments_with(view, "old") == []


def test_a_rejected_frame_is_not_found() -> None:
    frame = scan.keyframe(START, "femur", 0.5)
    rejected = scan.event(START + 1, "decision", number=1, keyframe=frame.keyframe, verdict="reject")
    assert moments_with(scan.view(scan.reading(START, None), frame, rejected), "best femur") == []


def test_no_more_moments_come_than_can_be_chosen_from() -> None:
    events = [scan.event(START + n * SECOND, text=f"note {n}") for n in range(MAX_MOMENTS + 20)]
    found = moments_with(scan.view(scan.reading(START), *events), "note")
    assert len(found) == MAX_MOMENTS
    assert found[0].words.endswith(f"note {MAX_MOMENTS + 19}")


def test_no_words_find_everything() -> None:
    assert len(moments_with(scan.view(scan.reading(START), scan.event(START, text="x")), "")) == 2
