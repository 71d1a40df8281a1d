import itertools

import pytest

from fetalstream.streamer.phantom.tour import RATE_HZ, Tour
from fetalstream.streamer.phantom.view import GONE, PLANES, SUBPLANES, TISSUE_COUNT, in_plane

SEEDS = (7, 23, 400)
MINUTES = 4


def legs(tour, seconds=60 * MINUTES):
    found, at = [], 0.0
    while at < seconds:
        found.append(tour.leg_at(at))
        at = found[-1].start_seconds + found[-1].seconds
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_legs_follow_each_other_without_a_gap(seed):
    found = legs(Tour(seed))
    assert found[0].start_seconds == 0
    for before, after in itertools.pairwise(found):
        assert after.start_seconds == pytest.approx(before.start_seconds + before.seconds)
        assert after.epoch == before.epoch + 1
        assert 1.5 < before.seconds < 4.5
        assert (1 + (before.z_start != before.z_hold)) * before.ramp_seconds < before.seconds


@pytest.mark.parametrize("seed", SEEDS)
def test_the_end_of_a_scan_does_not_depend_on_how_it_was_come_to(seed):
    forwards, at_once = Tour(seed), Tour(seed)
    for second in range(0, 60, 3):
        forwards.leg_at(second)
    late = at_once.leg_at(59.9)
    assert forwards.leg_at(59.9).start_seconds == late.start_seconds
    assert forwards.leg_at(0.0).start_seconds == at_once.leg_at(0.0).start_seconds == 0.0
    assert forwards.view_at(1790).z == at_once.view_at(1790).z


@pytest.mark.parametrize("seed", SEEDS)
def test_every_plane_is_visited_before_any_comes_a_second_time(seed):
    visited = [(leg.plane, leg.subplane) for leg in legs(Tour(seed)) if leg.plane and abs(leg.z_hold) < 0.5]
    rounds = len(PLANES) - 1 + len(SUBPLANES)
    first = [each for each, _ in itertools.groupby(visited)][:rounds]
    assert sorted(map(str, first)) == sorted(
        map(str, [*((plane, None) for plane in PLANES if plane != "brain"), *(("brain", each) for each in SUBPLANES)])
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_a_brain_is_among_the_first_three_visits(seed):
    visits = [leg.plane for leg in legs(Tour(seed), 60) if leg.plane and abs(leg.z_hold) < 0.5]
    assert "brain" in visits[:3]


@pytest.mark.parametrize("seed", SEEDS)
def test_only_brains_have_subplanes_and_only_bodies_have_planes(seed):
    for leg in legs(Tour(seed)):
        assert (leg.plane == "brain") == (leg.subplane in SUBPLANES)
        assert leg.plane in (None, *PLANES)
        assert 0 <= leg.tissue < TISSUE_COUNT
        assert 0.05 <= leg.setting.spacing_mm <= 0.45


@pytest.mark.parametrize("seed", SEEDS)
def test_between_visits_no_plane_is_hit(seed):
    tour = Tour(seed)
    for leg in legs(tour, 60):
        if leg.plane is not None and abs(leg.z_hold) < 0.5:
            continue
        first, last = (round(at * RATE_HZ) for at in (leg.start_seconds, leg.start_seconds + leg.seconds))
        assert max(in_plane(tour.view_at(index).z) for index in range(first + 1, last)) < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_visit_comes_dwells_and_leaves_without_a_jump(seed):
    tour = Tour(seed)
    for leg in legs(tour, 40):
        first, last = (round(at * RATE_HZ) for at in (leg.start_seconds, leg.start_seconds + leg.seconds))
        zs = [tour.view_at(index).z for index in range(first + 1, last)]
        if leg.plane is None:
            assert set(zs) == {GONE}
            continue
        if leg.freeze_at is None:
            assert max(abs(b - a) for a, b in itertools.pairwise(zs)) < 0.25
        middle = zs[len(zs) // 2]
        assert abs(middle - leg.z_hold) < 0.2


def test_a_freeze_holds_one_view_for_as_long_as_it_says():
    tour = Tour(7)
    leg = next(leg for leg in legs(tour) if leg.freeze_at is not None)
    indices = range(round(leg.start_seconds * RATE_HZ), round((leg.start_seconds + leg.seconds) * RATE_HZ))
    views = [tour.view_at(index) for index in indices]
    still = [a.seconds == b.seconds and a.noise == b.noise for a, b in itertools.pairwise(views)]
    assert sum(still) == pytest.approx(leg.freeze_seconds * RATE_HZ, abs=2)
    assert [frozen for frozen, _ in itertools.groupby(still)] == [False, True, False]


def test_an_age_that_is_given_is_the_fetuss():
    assert Tour(7, 200).fetus.gestation_days == 200
