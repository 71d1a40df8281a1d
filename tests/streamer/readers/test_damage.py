from fetalstream.streamer.readers.damage import Damage, Extent


def test_no_damage_is_not_mentioned():
    assert Damage().lines() == []


def test_each_kind_of_damage_is_one_line_with_its_count():
    lines = Damage(undecoded=3, unusable=2, blemished=1, reading_failed=True).lines()
    assert [line[-1] for line in lines[:3]] == ["3", "2", "1"]
    assert "to its end" in lines[3]


def test_missing_frames_are_told_and_seconds_then_do_not_matter():
    extent = Extent(frames=10, seconds=99.0, period_seconds=0.1)
    assert extent.shortfall(10, 0.9) is None
    assert "7 of 10 frames" in str(extent.shortfall(7, 0.6))


def test_missing_seconds_are_told_but_not_what_rounding_explains():
    extent = Extent(frames=None, seconds=10.0, period_seconds=0.04)
    assert extent.shortfall(249, 9.6) is None
    assert "8.0 of 10.0 seconds" in str(extent.shortfall(200, 8.0))
    assert Extent(frames=None, seconds=10.0, period_seconds=2.0).shortfall(4, 7.0) is None


def test_nothing_is_claimed_where_the_header_says_nothing():
    assert Extent(None, None, 0.04).shortfall(1, 0.0) is None
