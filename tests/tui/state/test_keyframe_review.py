from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import Event
from fetalstream.tui.state.keyframe_review import MAX_FRAMES, KeyframeReview, with_decision, with_keyframe
from tests.tui import scan
from tests.tui.scan import SECOND, START


def frame(key: str, plane: str = "brain", score: float = 0.5, at_s: float = 0, **fields: Any) -> Any:
    return scan.keyframe(START + round(at_s * SECOND), plane, score, keyframe=key, **fields)


def word(number: int, key: str, verdict: str, **detail: Any) -> Event:
    return scan.event(START, "decision", number=number, keyframe=key, verdict=verdict, **detail)


def folded(*messages: Any) -> KeyframeReview:
    review = KeyframeReview()
    for message in messages:
        review = with_decision(review, message) if isinstance(message, Event) else with_keyframe(review, message)
    return review


def best(review: KeyframeReview) -> dict[str, str]:
    return {plane: each.keyframe for plane, each in review.best.items()}


A, B = frame("a", at_s=1), frame("b", score=0.7, at_s=2)


def test_the_newest_by_score_stands_beside_the_one_before() -> None:
    review = folded(A, B, frame("f", "femur"))
    assert best(review) == {"brain": "b", "femur": "f"}
    assert review.candidate("brain", None).keyframe == "a"


def test_a_runner_up_is_a_candidate_and_stands_where_it_leads_what_is_left() -> None:
    runner_up = frame("r", score=0.7005, at_s=3, rank=1)
    review = folded(A, B, runner_up)
    assert best(review) == {"brain": "b"}
    assert review.candidate("brain", None).keyframe == "r"
    assert best(folded(A, B, runner_up, word(1, "b", "reject"))) == {"brain": "r"}
    less = frame("r", score=0.501, at_s=3, rank=1)
    assert best(folded(A, B, less, word(1, "b", "reject"))) == {"brain": "a"}
    assert best(folded(less, frame("q", score=0.6, at_s=4, rank=1))) == {"brain": "q"}
    assert best(folded(runner_up, frame("n", score=0.7, at_s=4))) == {"brain": "n"}


def test_an_accepted_frame_stays_and_better_ones_are_candidates() -> None:
    review = folded(A, word(1, "a", "accept"), B)
    assert best(review) == {"brain": "a"}
    assert review.best["brain"].accepted
    assert review.candidate("brain", None).keyframe == "b"
    assert best(folded(A, B, word(1, "a", "accept"), word(2, "b", "accept"))) == {"brain": "b"}


def test_a_rejected_frame_gives_way_to_the_one_before_and_comes_back_by_undo() -> None:
    rejected = folded(A, B, word(1, "b", "reject"))
    assert best(rejected) == {"brain": "a"}
    assert rejected.candidate("brain", None) is None
    undone = with_decision(rejected, word(1, "b", "undo", of="reject"))
    assert best(undone) == {"brain": "b"}
    assert rejected.undoable
    assert not undone.undoable


def test_a_relabelled_frame_counts_as_what_it_shows() -> None:
    review = folded(A, B, word(1, "b", "relabel", plane="femur", subplane=None))
    assert best(review) == {"brain": "a", "femur": "b"}


def test_a_snapshot_stands_only_where_nothing_else_does_or_when_accepted() -> None:
    shot = frame("s", at_s=3, chosen_by="operator", subplane="trans-cerebellum")
    assert best(folded(A, shot)) == {"brain": "a"}
    assert folded(A, shot).snapshots == 1
    of = folded(A, shot).best_of("brain", "trans-cerebellum")
    assert of is not None
    assert of.keyframe == "s"
    assert best(folded(A, shot, word(1, "s", "accept"))) == {"brain": "s"}


def test_a_word_before_its_frame_counts_once_the_frame_comes() -> None:
    assert best(folded(word(1, "a", "accept"), B, A)) == {"brain": "a"}


def test_frames_are_bounded_and_an_accepted_one_stays() -> None:
    review = folded(A, word(1, "a", "accept"), *(frame(str(n), at_s=2 + n) for n in range(MAX_FRAMES + 10)))
    assert len(review.frames) == MAX_FRAMES
    assert best(review) == {"brain": "a"}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from("abx"), st.sampled_from(["accept", "reject", "relabel", "undo", ""])
        ),
        max_size=12,
    )
)
def test_whatever_is_decided_in_whatever_order_best_frames_are_known_ones(words: list[tuple[int, str, str]]) -> None:
    events = [word(number, key, verdict, plane="femur") for number, key, verdict in words]
    review = folded(A, *events, B)
    assert set(best(review).values()) <= {"a", "b"}
    assert review == folded(A, B, *events) or len({number for number, *_ in words}) < len(words)


def test_nonsense_is_passed_over() -> None:
    for detail in (
        {},
        {"number": "1", "keyframe": "a", "verdict": "reject"},
        {"number": 1, "keyframe": 2, "verdict": "x"},
    ):
        assert best(folded(A, scan.event(START, "decision", **detail))) == {"brain": "a"}


THALAMIC = frame("t", score=0.4, at_s=3, subplane="trans-thalamic")
OLDER, NEWER = (
    frame("o", score=0.6, at_s=1, subplane="trans-ventricular"),
    frame("n", score=0.5, at_s=2, subplane="trans-ventricular"),
)


def standing(review: KeyframeReview, subplane: str) -> tuple[str | None, str | None]:
    of, rival = review.best_of("brain", subplane), review.candidate("brain", subplane)
    return of and of.keyframe, rival and rival.keyframe


def test_the_candidate_of_a_section_is_never_of_another_section() -> None:
    review = folded(OLDER, NEWER, THALAMIC)
    assert standing(review, "trans-ventricular") == ("o", "n")
    assert standing(review, "trans-thalamic") == ("t", None)
    assert standing(review, "trans-cerebellum") == (None, None)


def test_of_a_section_too_the_frame_accepted_last_stands() -> None:
    both = folded(OLDER, NEWER, word(1, "o", "accept"), word(2, "n", "accept"), word(3, "t", "accept"))
    assert standing(both, "trans-ventricular") == ("n", "o")
    assert standing(with_decision(both, word(2, "n", "undo", of="accept")), "trans-ventricular") == ("o", "n")
