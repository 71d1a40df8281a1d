from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fetalstream.pipeline.wire import Event
from fetalstream.tui.state.keyframe_review import MAX_FRAMES, Choices, decided, kept
from tests.tui import scan
from tests.tui.scan import SECOND, START


def frame(key: str, plane: str = "brain", score: float = 0.5, at_s: float = 0, **fields: Any) -> Any:
    return scan.keyframe(START + round(at_s * SECOND), plane, score, keyframe=key, **fields)


def word(number: int, key: str, verdict: str, **detail: Any) -> Event:
    return scan.event(START, "decision", number=number, keyframe=key, verdict=verdict, **detail)


def folded(*messages: Any) -> Choices:
    choices = Choices()
    for message in messages:
        choices = decided(choices, message) if isinstance(message, Event) else kept(choices, message)
    return choices


def best(choices: Choices) -> dict[str, str]:
    return {plane: each.keyframe for plane, each in choices.best.items()}


A, B = frame("a", at_s=1), frame("b", score=0.7, at_s=2)


def test_the_newest_by_score_stands_beside_the_one_before() -> None:
    choices = folded(A, B, frame("f", "femur"))
    assert best(choices) == {"brain": "b", "femur": "f"}
    assert choices.rival("brain", None).keyframe == "a"


def test_a_runner_up_is_a_candidate_and_stands_where_it_leads_what_is_left() -> None:
    runner_up = frame("r", score=0.7005, at_s=3, rank=1)
    choices = folded(A, B, runner_up)
    assert best(choices) == {"brain": "b"}
    assert choices.rival("brain", None).keyframe == "r"
    assert best(folded(A, B, runner_up, word(1, "b", "reject"))) == {"brain": "r"}
    less = frame("r", score=0.501, at_s=3, rank=1)
    assert best(folded(A, B, less, word(1, "b", "reject"))) == {"brain": "a"}
    assert best(folded(less, frame("q", score=0.6, at_s=4, rank=1))) == {"brain": "q"}
    assert best(folded(runner_up, frame("n", score=0.7, at_s=4))) == {"brain": "n"}


def test_an_accepted_frame_stays_and_better_ones_are_candidates() -> None:
    choices = folded(A, word(1, "a", "accept"), B)
    assert best(choices) == {"brain": "a"}
    assert choices.best["brain"].accepted
    assert choices.rival("brain", None).keyframe == "b"
    assert best(folded(A, B, word(1, "a", "accept"), word(2, "b", "accept"))) == {"brain": "b"}


def test_a_rejected_frame_gives_way_to_the_one_before_and_comes_back_by_undo() -> None:
    rejected = folded(A, B, word(1, "b", "reject"))
    assert best(rejected) == {"brain": "a"}
    assert rejected.rival("brain", None) is None
    undone = decided(rejected, word(1, "b", "undo", of="reject"))
    assert best(undone) == {"brain": "b"}
    assert rejected.undoable
    assert not undone.undoable


def test_a_relabelled_frame_counts_as_what_it_shows() -> None:
    choices = folded(A, B, word(1, "b", "relabel", plane="femur", subplane=None))
    assert best(choices) == {"brain": "a", "femur": "b"}


def test_a_snapshot_stands_only_where_nothing_else_does_or_when_accepted() -> None:
    shot = frame("s", at_s=3, chosen_by="operator", subplane="trans-cerebellum")
    assert best(folded(A, shot)) == {"brain": "a"}
    assert folded(A, shot).snapshots == 1
    of = folded(A, shot).of("brain", "trans-cerebellum")
    assert of is not None
    assert of.keyframe == "s"
    assert best(folded(A, shot, word(1, "s", "accept"))) == {"brain": "s"}


def test_a_word_before_its_frame_counts_once_the_frame_comes() -> None:
    assert best(folded(word(1, "a", "accept"), B, A)) == {"brain": "a"}


def test_frames_are_bounded_and_an_accepted_one_stays() -> None:
    choices = folded(A, word(1, "a", "accept"), *(frame(str(n), at_s=2 + n) for n in range(MAX_FRAMES + 10)))
    assert len(choices.frames) == MAX_FRAMES
    assert best(choices) == {"brain": "a"}


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
    choices = folded(A, *events, B)
    assert set(best(choices).values()) <= {"a", "b"}
    assert choices == folded(A, B, *events) or len({number for number, *_ in words}) < len(words)


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


def standing(choices: Choices, subplane: str) -> tuple[str | None, str | None]:
    of, rival = choices.of("brain", subplane), choices.rival("brain", subplane)
    return of and of.keyframe, rival and rival.keyframe


def test_the_candidate_of_a_section_is_never_of_another_section() -> None:
    choices = folded(OLDER, NEWER, THALAMIC)
    assert standing(choices, "trans-ventricular") == ("o", "n")
    assert standing(choices, "trans-thalamic") == ("t", None)
    assert standing(choices, "trans-cerebellum") == (None, None)


def test_of_a_section_too_the_frame_accepted_last_stands() -> None:
    both = folded(OLDER, NEWER, word(1, "o", "accept"), word(2, "n", "accept"), word(3, "t", "accept"))
    assert standing(both, "trans-ventricular") == ("n", "o")
    assert standing(decided(both, word(2, "n", "undo", of="accept")), "trans-ventricular") == ("o", "n")
