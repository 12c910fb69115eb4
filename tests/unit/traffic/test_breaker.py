from math import inf

from changeover.traffic.breaker import (
    CLOSED,
    FAULTS_MAX,
    OPEN_FIRST_S,
    OPEN_MAX_S,
    PROBE_S,
    TOLD_MAX_S,
    Breaker,
    Stance,
    answered,
    begin_probe,
    end_probe,
    faulted,
    stance,
    tripped,
)

AT = 1000.0


def opened(at: float = AT) -> Breaker:
    breaker = CLOSED
    for _ in range(FAULTS_MAX):
        breaker = faulted(breaker, at, sent_at=at - 1)
    return breaker


def test_a_breaker_opens_after_so_many_faults_in_a_row_and_not_before() -> None:
    breaker = CLOSED
    for _ in range(FAULTS_MAX - 1):
        breaker = faulted(breaker, AT, sent_at=AT)
        assert stance(breaker, AT) is Stance.CLOSED
    assert stance(faulted(breaker, AT, sent_at=AT), AT) is Stance.OPEN


def test_an_answer_in_between_begins_the_count_anew() -> None:
    breaker = CLOSED
    for _ in range(10 * FAULTS_MAX):
        breaker = answered(faulted(breaker, AT, sent_at=AT), sent_at=AT)
    assert breaker is CLOSED


def test_after_its_time_it_lets_one_probe_pass_and_no_second() -> None:
    breaker = opened()
    assert stance(breaker, AT + OPEN_FIRST_S - 0.001) is Stance.OPEN
    assert stance(breaker, AT + OPEN_FIRST_S) is Stance.HALF_OPEN
    probing = begin_probe(breaker, AT + OPEN_FIRST_S)
    assert stance(probing, AT + OPEN_FIRST_S) is Stance.OPEN
    assert stance(probing, AT + OPEN_FIRST_S + PROBE_S) is Stance.HALF_OPEN, "a probe that is lost must not close the way for ever"
    assert stance(end_probe(probing), AT + OPEN_FIRST_S) is Stance.HALF_OPEN


def test_a_probe_that_succeeds_closes_it() -> None:
    probing = begin_probe(opened(), AT + OPEN_FIRST_S)
    assert answered(probing, sent_at=AT + OPEN_FIRST_S) is CLOSED


def test_each_probe_that_fails_opens_it_for_twice_as_long_up_to_a_limit() -> None:
    breaker, at, lengths = opened(), AT, list[float]()
    for _ in range(40):
        lengths.append(breaker.open_until_at - at)
        at = breaker.open_until_at
        breaker = faulted(begin_probe(breaker, at), at, sent_at=at)
    assert lengths[:4] == [OPEN_FIRST_S, 2 * OPEN_FIRST_S, 4 * OPEN_FIRST_S, 8 * OPEN_FIRST_S]
    assert lengths[-1] == OPEN_MAX_S


def test_what_was_sent_before_the_opening_neither_closes_it_nor_lengthens_it() -> None:
    breaker = opened()
    assert answered(breaker, sent_at=AT - 0.5) is breaker
    assert faulted(breaker, AT + 1, sent_at=AT - 0.5) is breaker
    assert tripped(breaker, AT + 1, sent_at=AT - 0.5) is breaker


def test_one_clear_word_opens_it_at_once_for_as_long_as_the_provider_said() -> None:
    breaker = tripped(CLOSED, AT, sent_at=AT, for_s=30.0)
    assert stance(breaker, AT + 29.9) is Stance.OPEN
    assert stance(breaker, AT + 30.0) is Stance.HALF_OPEN
    assert tripped(CLOSED, AT, sent_at=AT, for_s=86_400.0).open_until_at == AT + TOLD_MAX_S
    assert tripped(CLOSED, AT, sent_at=AT).open_until_at == AT + OPEN_FIRST_S


def test_a_probe_on_a_closed_breaker_is_none() -> None:
    assert begin_probe(CLOSED, AT) is CLOSED
    assert CLOSED.opened_at == -inf
