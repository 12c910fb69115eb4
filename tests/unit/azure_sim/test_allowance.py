"""Rate limits refill with time and are refused with the time to wait."""

from changeover.azure_sim.allowance import MINUTE_S, Allowance


def an_allowance() -> Allowance:
    return Allowance(requests_per_minute=6, tokens_per_minute=1000, now=0.0)


def test_requests_beyond_the_minutes_limit_are_told_how_long_to_wait() -> None:
    allowance = an_allowance()
    assert [allowance.take(1, now=0.0) for _ in range(6)] == [0] * 6
    assert 0 < allowance.take(1, now=0.0) <= MINUTE_S * 1000 / 6 + 1


def test_after_the_wait_there_is_room_again() -> None:
    allowance = an_allowance()
    for _ in range(6):
        allowance.take(1, now=0.0)
    wait_ms = allowance.take(1, now=0.0)
    assert allowance.take(1, now=wait_ms / 1000) == 0


def test_tokens_are_limited_apart_from_requests() -> None:
    allowance = an_allowance()
    assert allowance.take(900, now=0.0) == 0
    assert allowance.take(200, now=0.0) > 0
    assert allowance.take(100, now=0.0) == 0


def test_a_refused_request_takes_nothing() -> None:
    allowance = an_allowance()
    allowance.take(2000, now=0.0)
    assert allowance.headers()["x-ratelimit-remaining-requests"] == "6"
    assert allowance.headers()["x-ratelimit-remaining-tokens"] == "1000"


def test_unused_room_does_not_pile_up_beyond_the_limit() -> None:
    allowance = an_allowance()
    allowance.take(1, now=10 * MINUTE_S)
    assert allowance.headers()["x-ratelimit-remaining-requests"] == "5"
