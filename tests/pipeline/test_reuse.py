from pipeline.reuse import MAX_SECONDS, ReuseGate


def test_without_an_answer_nothing_holds():
    assert not ReuseGate().holds(0, 0.0, "frozen", identical=True)


def test_a_picture_that_stays_is_looked_at_again_after_a_while():
    gate = ReuseGate()
    held = [gate.holds(0, i / 10, "frozen", identical=True) for i in range(45)]
    looked = [i / 10 for i, reused in enumerate(held) if not reused]
    assert looked == [0.0, MAX_SECONDS, 2 * MAX_SECONDS]


def test_identical_pixels_hold_before_the_signal_is_called_frozen():
    gate = ReuseGate()
    gate.holds(0, 0.0, "live", identical=False)
    assert gate.holds(0, 0.03, "live", identical=True)
    assert not gate.holds(0, 0.06, "live", identical=False)


def test_a_frozen_screen_holds_though_its_noise_differs():
    gate = ReuseGate()
    gate.holds(0, 0.0, "live", identical=False)
    assert gate.holds(0, 0.5, "frozen", identical=False)


def test_nothing_holds_across_epochs_or_back_in_time():
    gate = ReuseGate()
    gate.holds(0, 5.0, "live", identical=False)
    assert not gate.holds(1, 5.1, "frozen", identical=True)
    assert not gate.holds(1, 0.0, "frozen", identical=True)


def test_a_reset_takes_the_answer_away():
    gate = ReuseGate()
    gate.holds(0, 0.0, "live", identical=False)
    gate.reset()
    assert not gate.holds(0, 0.1, "frozen", identical=True)
