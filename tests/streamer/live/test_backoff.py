from fetalstream.streamer.live.backoff import LONGEST_SECONDS, Backoff


def test_attempts_come_further_and_further_apart_and_never_cease():
    backoff = Backoff()
    assert [backoff.wait_s(0.0) for _ in range(6)] == [0.5, 1.0, 2.0, 3.5, 3.5, 3.5]
    backoff.succeeded()
    assert backoff.wait_s(0.0) == 0.5


def test_what_an_attempt_took_is_not_waited_again():
    backoff = Backoff()
    for _ in range(5):
        backoff.wait_s(0.0)
    assert backoff.wait_s(2.0) == LONGEST_SECONDS - 2.0
    assert 0 < backoff.wait_s(60.0) < 0.5
