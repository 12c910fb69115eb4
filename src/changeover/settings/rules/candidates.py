"""Does a rollout lead somewhere better? Candidates that are older than their stable, or filtered otherwise."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from changeover.rollout.sides import confounders, members
from changeover.settings.declared import DeclaredRollout, DeclaredTask
from changeover.settings.paths import Path, written
from changeover.settings.rules.book import CANDIDATE_OLDER, OTHER_FILTER
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import Noted
from changeover.settings.rules.retirement import known_end
from changeover.versions import Deployment, ModelVersion

_FILTER: Final = "content-filter policy"
_DATED: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")
_SAME: Final = "declare the policy of the stable for it, content_filter: NAME, or silence this with the reason"


def candidates(case: Case) -> Iterator[Noted]:
    for rollout in case.declared.rollouts.values():
        task = case.declared.tasks[rollout.task]
        yield from _older(case, rollout, task)
        yield from _filtered_candidate(case, rollout, task)
    for task in case.declared.tasks.values():
        yield from _filtered_failovers(case, task)


def _older(case: Case, rollout: DeclaredRollout, task: DeclaredTask) -> Iterator[Noted]:
    stable, candidate = case.declared.deployments[task.stable], case.declared.deployments[rollout.candidate]
    found = ""
    if _is_older(candidate.model, stable.model):
        found = f"{candidate.model}, which is older than the stable's {stable.model}"
    else:
        ends = known_end(case, candidate), known_end(case, stable)
        if ends[0] is not None and ends[1] is not None and ends[0].at < ends[1].at:
            found = f"{candidate.model}, which {ends[0]}; the stable's {stable.model} {ends[1]}"
    if found:
        yield Noted(
            rule=CANDIDATE_OLDER,
            path=("rollouts", rollout.name, "candidate"),
            environment=case.environment((task.stable,)),
            found=found,
            expected="a candidate that is newer and serves longer",
            remedy="choose a newer version, or silence this with the reason to go back",
        )


def _is_older(one: ModelVersion, other: ModelVersion) -> bool:
    """Only versions of one model can be told apart, and only by what is surely a date or a number."""
    if one.name != other.name:
        return False
    if one.is_numbered and other.is_numbered:
        return int(one.version) < int(other.version)
    dates = [_DATED.match(each.version) for each in (one, other)]
    return dates[0] is not None and dates[1] is not None and dates[0].groups() < dates[1].groups()


def _filtered_candidate(case: Case, rollout: DeclaredRollout, task: DeclaredTask) -> Iterator[Noted]:
    stable = members(case.declared.deployments, task.stable, task.stable_pool)
    candidate = members(case.declared.deployments, rollout.candidate, rollout.candidate_pool)
    yield from _filtered(case, stable, candidate, ("rollouts", rollout.name, "candidate"), covers=("rollouts", rollout.name))


def _filtered_failovers(case: Case, task: DeclaredTask) -> Iterator[Noted]:
    stable = members(case.declared.deployments, task.stable, task.stable_pool)
    for index, name in enumerate(task.failover):
        yield from _filtered(case, stable, case.known((name,)), ("tasks", task.name, "failover", index), covers=())


def _filtered(case: Case, stable: Sequence[Deployment], other: Sequence[Deployment], path: Path, *, covers: Path) -> Iterator[Noted]:
    said = {str(each) for each in confounders(stable, other) if each.what == _FILTER}
    for each in confounders(_as_read(case, stable), _as_read(case, other)):
        if each.what == _FILTER:
            yield Noted(
                rule=OTHER_FILTER,
                path=path,
                environment=case.environment([one.name for one in stable]),
                found=f"the {_FILTER} {each.candidate}, where the stable has {each.stable}",
                expected="the policy of the stable",
                remedy=_SAME,
                covers="".join(f"{written(covers)}: {each}" for each in said) if covers else "",
            )


def _as_read(case: Case, side: Sequence[Deployment]) -> list[Deployment]:
    """With the policy that Azure tells of, where the file says none."""
    found: list[Deployment] = []
    for deployment in side:
        read = case.read_back(deployment.name)
        policy = deployment.content_filter or (read.content_filter if read else None)
        found.append(msgspec.structs.replace(deployment, content_filter=policy))
    return found
