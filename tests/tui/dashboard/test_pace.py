from fetalstream.tui.dashboard.pace import FASTEST_S, SLOWEST_S, Pace


def drawn(pace: Pace, ticks: int, *, from_s: float = 0.0, busy: bool = False) -> int:
    return sum(pace.may_draw(from_s + tick * FASTEST_S, busy=busy) for tick in range(ticks))


def test_a_quick_terminal_gets_every_picture() -> None:
    assert drawn(Pace(), 60) == 60


def test_a_slow_one_gets_fewer_and_more_again_later() -> None:
    pace = Pace()
    for round_s in range(5):
        assert not pace.may_draw(round_s + 0.5, busy=True)
        assert not pace.may_draw(round_s + 0.57, busy=True)
        pace.may_draw(round_s + 0.63, busy=False)
    assert pace.every_s == SLOWEST_S
    assert drawn(pace, 60, from_s=6.0) <= 8
    assert drawn(pace, 60 * 15, from_s=10.0) > 100
    for second in range(70, 400):
        pace.may_draw(second, busy=False)
    assert pace.every_s == FASTEST_S


def test_one_long_hold_up_is_one_reason() -> None:
    pace = Pace()
    drawn(pace, 100, busy=True)
    assert FASTEST_S < pace.every_s < 2 * FASTEST_S


def test_a_tick_right_upon_a_drawing_slows_nothing_down() -> None:
    pace = Pace()
    for second in range(100):
        assert not pace.may_draw(second, busy=True)
        assert pace.may_draw(second + FASTEST_S, busy=False)
    assert pace.every_s == FASTEST_S
