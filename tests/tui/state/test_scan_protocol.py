import msgspec
import pytest

from fetalstream.tui.state.scan_protocol import ALL_PLANES, Protocol, View, every_plane
from fetalstream.tui.state.session import PLANES


def test_without_a_file_each_plane_is_one_view() -> None:
    protocol = every_plane(PLANES)
    assert [view.plane for view in protocol.views] == list(PLANES)
    assert all(view.assessable and view.subplane is None for view in protocol.views)
    assert protocol.name == ALL_PLANES
    assert protocol.enough == 0.0


def test_views_are_named_in_plain_words_that_fit() -> None:
    names = [view.name for view in every_plane(("lips_nose", "profile_patient", "a_b", "x" * 60, "")).views]
    assert names == ["lips & nose", "profile", "a b", "x" * 28, "?"]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 29},
        {"name": "x", "plain": "brain"},
        {"plane": "brain"},
    ],
)
def test_a_view_needs_a_short_name_and_nothing_unknown(fields: dict[str, str]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, View)


@pytest.mark.parametrize("change", [{"title": ""}, {"source": "x" * 201}, {"enough": 1.01}, {"enough": -0.1}])
def test_a_protocol_needs_a_title_a_source_and_a_share(change: dict[str, object]) -> None:
    fields = {"title": "t", "source": "s", "views": [{"name": "x"}]}
    assert msgspec.convert(fields, Protocol).views == (View("x"),)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**fields, **change}, Protocol)


def test_a_view_without_a_plane_cannot_be_judged() -> None:
    assert not View("three vessels").assessable
    assert View("femur", "femur").assessable
