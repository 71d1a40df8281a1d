from hypothesis import given
from hypothesis import strategies as st

from fetalstream.streamer.given_scale import GivenScale

SIZES = st.tuples(st.integers(1, 4), st.integers(1, 4))
OWN = st.sampled_from([(None, None), (0.3, "dicom"), (0.4, "igtl")])


@given(st.lists(st.tuples(SIZES, OWN), min_size=1))
def test_what_the_operator_said_holds_for_frames_of_the_first_size_and_no_others(frames):
    warnings = []
    scale = GivenScale(0.2, warnings.append)
    first = frames[0][0]
    for size, own in frames:
        assert scale.of(size, own) == ((0.2, "operator") if size == first else own)
    assert bool(warnings) == any(size != first for size, _ in frames)


@given(st.lists(st.tuples(SIZES, OWN)))
def test_where_nothing_was_said_the_source_is_believed_without_a_word(frames):
    warnings = []
    scale = GivenScale(None, warnings.append)
    assert [scale.of(size, own) for size, own in frames] == [own for _, own in frames]
    assert warnings == []


def test_the_first_size_may_come_back():
    scale = GivenScale(0.2, lambda _: None)
    sizes = [(48, 64), (24, 32), (48, 64)]
    assert [scale.of(size)[0] for size in sizes] == [0.2, None, 0.2]
