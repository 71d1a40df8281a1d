import pytest

from fetalstream.streamer.errors import SourceError
from fetalstream.streamer.region.sector import Polygon, Rectangle, from_values, middle_height, to_values


def test_polygon_goes_round_the_sector():
    assert Rectangle(1, 2, 3, 4).polygon == ((1, 2), (4, 2), (4, 6), (1, 6))


def test_an_outline_has_a_tight_rectangle():
    assert Polygon(((10.5, 20), (40, 20), (25, 59.2))).rectangle == Rectangle(10, 20, 30, 40)


def test_plain_values_mean_a_rectangle_or_an_outline():
    assert from_values([1, 2, 3, 4]) == Rectangle(1, 2, 3, 4)
    assert from_values([[1, 2], [30, 2], [15, 40]]) == Polygon(((1, 2), (30, 2), (15, 40)))


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1, 2, 3],
        ["a", 1, 2, 3],
        [[1, 2], [3, 4]],
        [[0, 0], [9, 0], [18, 0]],
        [[0, 0], [9, 0], [float("nan"), 9]],
        [[-1, 0], [9, 0], [5, 9]],
        [1, 2, float("inf"), 4],
    ],
)
def test_other_values_are_refused(values):
    with pytest.raises(SourceError):
        from_values(values)


@pytest.mark.parametrize("values", [[1, 2, 30, 40], [[1.0, 2.0], [30.5, 2.0], [20.0, 40.0]]])
def test_values_make_the_shape_that_gives_them(values):
    assert to_values(from_values(values)) == values
    assert to_values(None) is None


def test_the_height_along_the_middle_column():
    assert middle_height(Rectangle(10, 20, 100, 60)) == 60
    assert middle_height(Polygon(((0, 0), (100, 0), (50, 80)))) == pytest.approx(80)
    assert middle_height(Polygon(((50, 10), (50, 10.5), (100, 90), (50, 70), (0, 90)))) == pytest.approx(60)
