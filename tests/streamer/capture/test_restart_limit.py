from fetalstream.streamer.capture.restart_limit import DEATHS, WITHIN_S, RestartLimit


def test_the_fifth_death_within_a_minute_is_the_last() -> None:
    limit = RestartLimit()
    assert [limit.count(10.0 * death) for death in range(DEATHS)] == [True] * (DEATHS - 1) + [False]


def test_deaths_longer_than_a_minute_ago_do_not_count() -> None:
    limit = RestartLimit(2)
    assert limit.count(0.0)
    assert limit.count(WITHIN_S)
    assert not limit.count(2 * WITHIN_S - 0.1)


def test_what_is_forgiven_may_die_as_often_again() -> None:
    limit = RestartLimit(2)
    limit.count(0.0)
    limit.forgive()
    assert limit.count(1.0)
    assert not limit.count(2.0)
