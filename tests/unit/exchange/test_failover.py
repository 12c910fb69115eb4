import pytest

from changeover.exchange.failover import (
    WAIT_MAX_S,
    Failed,
    Place,
    fails_over,
    is_fault,
    is_free,
    next_members,
    pause_s,
    places,
    remember,
)
from changeover.traffic.breaker import CLOSED, FAULTS_MAX, Stance, stance
from changeover.traffic.table import Route, Side
from changeover.wire.failure import FailureKind

AT = 100.0
DECLARED = frozenset({"blue", "blue-2", "green", "green-2", "spare", "other"})
ROUTE = Route(task="t", stable="blue", candidate="green", candidate_permille=100, failover=("spare", "other"))


def names(route: Route, side: Side) -> list[str]:
    return [name for place in places(route, side, declared=DECLARED) for name in place.members]


def always(_: str) -> bool:
    return True


def test_the_order_is_candidate_then_stable_then_failover() -> None:
    assert names(ROUTE, Side.CANDIDATE) == ["green", "blue", "spare", "other"]
    assert names(ROUTE, Side.STABLE) == ["blue", "spare", "other"]


def test_the_candidate_stands_in_for_nobody_even_where_failover_names_it() -> None:
    route = Route(task="t", stable="blue", candidate="green", candidate_permille=100, failover=("green", "spare"))
    assert names(route, Side.STABLE) == ["blue", "spare"]
    assert names(route, Side.CANDIDATE) == ["green", "blue", "spare"]


def test_without_a_candidate_what_failover_names_may_stand_in() -> None:
    assert names(Route(task="t", stable="blue", failover=("green", "blue")), Side.STABLE) == ["blue", "green"]


def test_what_is_not_declared_is_left_out() -> None:
    assert names(Route(task="t", stable="blue", failover=("gone", "spare")), Side.STABLE) == ["blue", "spare"]


def test_the_members_of_a_pool_stand_in_one_place() -> None:
    route = Route(task="t", stable="blue", stable_pool=("blue", "blue-2"), candidate="green", candidate_pool=("green", "green-2"))
    order = places(route, Side.CANDIDATE, declared=DECLARED)
    assert order == (Place("green", ("green", "green-2")), Place("blue", ("blue", "blue-2")))
    assert next_members(order, (), always) == ("green", "green-2")
    assert next_members(order, ("green",), always) == ("green-2",)
    assert next_members(order, ("green", "green-2"), always) == ("blue", "blue-2")


def test_an_open_breaker_sends_on_to_the_next_place() -> None:
    order = places(ROUTE, Side.CANDIDATE, declared=DECLARED)
    assert next_members(order, (), lambda name: name != "green") == ("blue",)
    assert next_members(order, (), lambda name: name == "other") == ("other",)


def test_with_every_breaker_open_a_first_attempt_goes_where_it_belongs_and_a_second_nowhere() -> None:
    order = places(ROUTE, Side.CANDIDATE, declared=DECLARED)
    assert next_members(order, (), lambda _: False) == ("green",)
    assert next_members(order, ("green",), lambda _: False) == ()


def test_nobody_is_asked_twice() -> None:
    order = places(ROUTE, Side.CANDIDATE, declared=DECLARED)
    assert next_members(order, ("green", "blue", "spare", "other"), always) == ()


FAULTS = {
    FailureKind.LIMITED,
    FailureKind.RETIRED,
    FailureKind.MISSING,
    FailureKind.PAUSED,
    FailureKind.NOT_READY,
    FailureKind.PROVIDER_FAULT,
}


@pytest.mark.parametrize("kind", FailureKind)
def test_what_a_deployment_is_to_blame_for_fails_over_and_nothing_else(kind: FailureKind) -> None:
    assert fails_over(kind, of_candidate=False) == (kind in FAULTS) == is_fault(kind)


def test_a_parameter_is_asked_elsewhere_only_when_the_candidate_refuses_it() -> None:
    assert fails_over(FailureKind.UNSUPPORTED_PARAMETER, of_candidate=True)
    assert not fails_over(FailureKind.UNSUPPORTED_PARAMETER, of_candidate=False)


def test_a_filtered_prompt_is_never_asked_elsewhere() -> None:
    assert not fails_over(FailureKind.CONTENT_FILTER, of_candidate=True)


def test_what_did_no_work_costs_no_budget() -> None:
    assert is_free(FailureKind.RETIRED)
    assert is_free(FailureKind.UNSUPPORTED_PARAMETER)
    assert not is_free(FailureKind.PROVIDER_FAULT)
    assert not is_free(FailureKind.LIMITED)


def test_a_short_wait_is_waited_once_where_the_provider_allows_it() -> None:
    short = Failed("blue", FailureKind.LIMITED, retry_after_s=WAIT_MAX_S)
    assert pause_s(short, paused_before=False) == WAIT_MAX_S
    assert pause_s(short, paused_before=True) is None
    assert pause_s(short._replace(retry_forbidden=True), paused_before=False) is None
    assert pause_s(short._replace(retry_after_s=WAIT_MAX_S + 0.1), paused_before=False) is None
    assert pause_s(short._replace(retry_after_s=None), paused_before=False) is None
    assert pause_s(short._replace(kind=FailureKind.PROVIDER_FAULT), paused_before=False) is None


@pytest.mark.parametrize("kind", [FailureKind.RETIRED, FailureKind.MISSING, FailureKind.PAUSED])
def test_a_deployment_that_is_gone_is_not_asked_again_at_once(kind: FailureKind) -> None:
    assert stance(remember(CLOSED, Failed("blue", kind), AT, sent_at=AT), AT) is Stance.OPEN


def test_a_long_wait_is_kept_and_a_short_one_only_counts() -> None:
    long = remember(CLOSED, Failed("blue", FailureKind.LIMITED, retry_after_s=40.0), AT, sent_at=AT)
    assert long.open_until_at == AT + 40.0
    assert stance(remember(CLOSED, Failed("blue", FailureKind.LIMITED, retry_after_s=1.0), AT, sent_at=AT), AT) is Stance.CLOSED


def test_faults_are_counted_and_refusals_are_not() -> None:
    breaker = CLOSED
    for _ in range(FAULTS_MAX):
        for kind in (FailureKind.UNSUPPORTED_PARAMETER, FailureKind.CALLER_FAULT, FailureKind.CONTENT_FILTER, FailureKind.AUTH):
            assert remember(breaker, Failed("blue", kind), AT, sent_at=AT) is breaker
        breaker = remember(breaker, Failed("blue", FailureKind.PROVIDER_FAULT), AT, sent_at=AT)
    assert stance(breaker, AT) is Stance.OPEN
