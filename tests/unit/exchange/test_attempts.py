from changeover.exchange.attempts import FLOOR_PER_S, SAVED_FIRST, SAVED_MAX, SHARE, RetryBudget

AT = 10.0


def spent(budget: RetryBudget, at: float) -> int:
    """How many attempts may be made at once."""
    count = 0
    while budget.spend(at):
        count += 1
    return count


def test_a_task_has_something_to_begin_with() -> None:
    assert spent(RetryBudget(AT), AT) == SAVED_FIRST


def test_an_empty_budget_refuses_until_a_second_has_filled_it_a_little() -> None:
    budget = RetryBudget(AT)
    spent(budget, AT)
    assert not budget.spend(AT)
    assert spent(budget, AT + 1.0) == FLOOR_PER_S


def test_requests_fill_it_by_a_fifth_each() -> None:
    budget = RetryBudget(AT)
    spent(budget, AT)
    for _ in range(1000):
        budget.request()
    assert abs(spent(budget, AT) - 1000 * SHARE) <= 1


def test_repeated_requests_stay_within_a_share_of_all_requests() -> None:
    budget, extra, requests, at = RetryBudget(AT), 0, 100_000, AT
    for _ in range(requests):  # 1,000 a second, and every one of them fails
        at += 0.001
        budget.request()
        extra += budget.spend(at)
    assert extra <= SHARE * requests + FLOOR_PER_S * (at - AT) + SAVED_FIRST


def test_what_is_saved_has_a_limit_and_time_alone_saves_no_more_than_the_beginning() -> None:
    budget = RetryBudget(AT)
    for _ in range(100_000):
        budget.request()
    assert SAVED_MAX <= budget.saved < SAVED_MAX + SHARE
    assert spent(budget, AT + 1e6) == SAVED_MAX
    assert spent(budget, AT + 2e6) == SAVED_FIRST


def test_time_that_goes_back_gives_nothing() -> None:
    budget = RetryBudget(AT)
    spent(budget, AT)
    assert not budget.spend(AT - 100.0)
