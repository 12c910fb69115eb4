"""Who answers when the stable does not? Failovers that are missing, or that could not answer."""

from collections.abc import Iterator

from changeover.settings.rules.book import FAILOVER_IS_CANDIDATE, NO_FAILOVER
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import Noted


def standing_in(case: Case) -> Iterator[Noted]:
    for name, task in case.declared.tasks.items():
        if not task.failover:
            yield Noted(
                rule=NO_FAILOVER,
                path=("tasks", name, "failover"),
                environment=case.environment(task.stable_pool or (task.stable,)),
                found="no failover",
                expected="at least one deployment that stands in for the stable",
                remedy="write failover: [DEPLOYMENT], best one of another version and another account",
            )
    yield from _on_trial(case)


def _on_trial(case: Case) -> Iterator[Noted]:
    for rollout in case.declared.rollouts.values():
        task = case.declared.tasks[rollout.task]
        candidates = rollout.candidate_pool or (rollout.candidate,)
        for index, spare in enumerate(task.failover):
            if spare in candidates:
                yield Noted(
                    rule=FAILOVER_IS_CANDIDATE,
                    path=("tasks", task.name, "failover", index),
                    environment=case.environment(task.stable_pool or (task.stable,)),
                    found=f"{spare}, the candidate of rollout {rollout.name}",
                    expected="a deployment that is not on trial",
                    remedy="name another failover for as long as the rollout is declared",
                )
