from fetalstream.pipeline import wire
from fetalstream.streamer import given_scale


def test_a_command_takes_the_spacings_that_a_source_takes() -> None:
    found = wire.SMALLEST_SPACING_MM, wire.LARGEST_SPACING_MM
    assert found == (given_scale.SMALLEST_MM, given_scale.LARGEST_MM)
