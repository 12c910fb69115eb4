"""Does what was served contradict what was approved? Observations in, the changes that they call for out.

It looks at the world as it is at the commit, so it may be asked again with the same observations: what has been told is
not told twice, and a candidate that drifts is rolled back in every attempt that it drifts in.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from changeover.exchange.observation import Observation, Outcome
from changeover.rollout.commands import NothingToDo, move
from changeover.rollout.plan import percent
from changeover.rollout.sighting import Drift, DriftKind
from changeover.rollout.state import Command, RollBack, Rollout
from changeover.rollout.world import DriftSeen, FingerprintSeen, Proposal, World, routes
from changeover.traffic.table import Route
from changeover.versions import Account, Deployment
from changeover.versions.identity import Served, contradiction

ACTOR: Final = "drift"
DRIFTS_PER_DEPLOYMENT_MAX: Final = 8
"""A server that answers with another name each time is told of so often and no more; it is rolled back every time."""
FINGERPRINT_EVERY_S: Final = 600.0
"""New fingerprints of one deployment are recorded at most so often."""
FOUND_CHARACTERS_MAX: Final = 200

_GONE: Final[dict[str, DriftKind]] = {
    "retired": "retired",
    "modeldeprecated": "retired",
    "model_deprecated": "retired",
    "status_410": "retired",
    "missing": "missing",
    "deploymentnotfound": "missing",
    "model_not_found": "missing",
}
"""Error codes of observations, in lower case: the gateway's own classes, and the providers' codes behind them."""


def drifts_in(world: World, observations: Iterable[Observation]) -> list[Drift]:
    """Every contradiction that calls for an answer, each once: it is not yet told of, or it concerns an active rollout."""
    found: dict[tuple[str, str, str, str], Drift] = {}
    for drift in _drifts(world, observations):
        # The latest, because an attempt is judged by what was seen since it began.
        if drift.key not in found or drift.seen_at > found[drift.key].seen_at:
            found[drift.key] = drift
    return [drift for drift in found.values() if _is_news(world, drift) or _judged(world, drift)]


def answer_drift(world: World, drift: Drift, *, now: float) -> Proposal:
    """The next change that ``drift`` calls for: first every rollout that tries the deployment is rolled back, then it is told.

    Raises:
        NothingToDo: no active rollout has it as its candidate, and it has been told of.
    """
    judged = _judged(world, drift)
    if judged:
        return move(world, rollout_id=judged[0].id, event=RollBack(reason=drift.sentence), now=now, actor=ACTOR)
    if _is_news(world, drift):
        alerts = tuple(_alert(drift, route) for route in routes(world).values() if _uses(route, drift.deployment))
        return Proposal(actor=ACTOR, reason=drift.sentence, body=DriftSeen(drift=drift), commands=alerts)
    raise NothingToDo(f"{drift.sentence}: it is known")


def fingerprints_in(world: World, observations: Iterable[Observation]) -> dict[str, Observation]:
    """By deployment, the first observation with a fingerprint that it has not shown yet, where one may be recorded."""
    found: dict[str, Observation] = {}
    for row in observations:
        if row.fingerprint and row.served in world.deployments and row.served not in found and _is_new_fingerprint(world, row):
            found[row.served] = row
    return found


def record_fingerprint(world: World, row: Observation) -> Proposal:
    """The change that keeps the fingerprint of ``row``. No alarm: providers change their machines as they like.

    Raises:
        NothingToDo: it is known by now.
    """
    assert row.served is not None
    assert row.fingerprint is not None
    if not _is_new_fingerprint(world, row):
        raise NothingToDo(f"the fingerprint of {row.served} is known")
    before = world.fingerprints.get(row.served)
    last = None if before is None else before.known[-1]
    body = FingerprintSeen(deployment=row.served, fingerprint=_bounded(row.fingerprint), before=last, at=row.started_at)
    reason = "first seen" if last is None else f"was {last}"
    return Proposal(actor=ACTOR, reason=reason, body=body)


def standing_drifts(world: World) -> tuple[Drift, ...]:
    """What was seen and still contradicts the pin as it is now."""
    return tuple(drift for drift in world.drifts if _still(world, drift))


def _drifts(world: World, observations: Iterable[Observation]) -> Iterator[Drift]:
    answers: dict[tuple[str, Served], DriftKind | None] = {}
    for row in observations:
        gone = _gone(world, row)
        if gone is not None:
            yield gone
        if row.served is None or (row.served_model is None and row.served_deployment is None):
            continue
        key = row.served, Served(row.served_model, row.served_deployment)
        if key in answers and answers[key] is None:
            continue  # most rows of a batch say the same
        drift = _contradicted(world, row)
        answers[key] = None if drift is None else drift.kind
        if drift is not None:
            yield drift


def _contradicted(world: World, row: Observation) -> Drift | None:
    deployment, account = _pin(world, row.served)
    if deployment is None or account is None:
        return None
    found = contradiction(Served(row.served_model, row.served_deployment), deployment=deployment, account=account)
    if found is None:
        return None
    return _drift(deployment, found.kind, found=found.found, expected=found.expected, row=row)


def _gone(world: World, row: Observation) -> Drift | None:
    """The *assigned* deployment is gone, whoever answered in its place."""
    kind = _GONE.get((row.error or "").lower())
    deployment, _ = _pin(world, row.assigned)
    if kind is None or deployment is None or not _is_of_assigned(row):
        return None
    return _drift(deployment, kind, found=row.error or kind, expected=deployment.model.served_name, row=row)


def _is_of_assigned(row: Observation) -> bool:
    """Whether the error is the assigned deployment's. That of an answer is the first failure's; that of a failure is the last
    one's, which is somebody else's when others were asked.
    """
    if row.outcome in (Outcome.ANSWERED, Outcome.LEFT):
        return row.served != row.assigned
    return row.served == row.assigned or (row.served is None and row.attempts <= 1)


def _pin(world: World, name: str | None) -> tuple[Deployment | None, Account | None]:
    deployment = world.deployments.get(name or "")
    return deployment, None if deployment is None else world.accounts.get(deployment.account)


def _drift(deployment: Deployment, kind: DriftKind, *, found: str, expected: str, row: Observation) -> Drift:
    return Drift(
        deployment=deployment.name,
        kind=kind,
        found=_bounded(found),
        expected=expected,
        seen_at=row.started_at,
        request_id=row.request_id,
    )


def _is_news(world: World, drift: Drift) -> bool:
    known = [each for each in world.drifts if each.deployment == drift.deployment]
    return all(each.key != drift.key for each in known) and len(known) < DRIFTS_PER_DEPLOYMENT_MAX


def _judged(world: World, drift: Drift) -> list[Rollout]:
    """The active rollouts that try the deployment, begun before this was seen: an older observation is of another attempt."""
    active = [world.rollouts[task.rollout] for task in world.tasks.values() if task.rollout is not None]
    served = routes(world)
    return [
        rollout for rollout in active if drift.deployment in served[rollout.task].candidate_members and drift.seen_at >= rollout.started_at
    ]


def _uses(route: Route, deployment: str) -> bool:
    return deployment in (*route.stable_members, *route.candidate_members, *route.failover)


def _alert(drift: Drift, route: Route) -> Command:
    """What to do about it depends on what the deployment is to the task; only a candidate is taken away without asking."""
    if drift.deployment in route.stable_members:
        fate = "is not served by it" if drift.kind in ("retired", "missing") else "goes on being served by it"
        advice = f"it is the stable of {route.task}, which {fate}; mend the deployment, or move the task to another one"
    elif drift.deployment in route.candidate_members:
        share = percent(route.candidate_permille)
        advice = f"it has {share} of {route.task}, split by hand; take it back: changeover rollback {route.task}"
    else:
        advice = f"it is to stand in for {route.task}; mend the deployment, or name another failover"
    topic = "retirement" if drift.kind == "retired" else "drift"
    return Command(kind="alert", subject=route.task, topic=topic, text=f"{topic}: {drift.sentence}; {advice}")


def _is_new_fingerprint(world: World, row: Observation) -> bool:
    known = world.fingerprints.get(row.served or "")
    if known is None:
        return True
    return _bounded(row.fingerprint or "") not in known.known and row.started_at - known.seen_at >= FINGERPRINT_EVERY_S


def _still(world: World, drift: Drift) -> bool:
    deployment = world.deployments.get(drift.deployment)
    return deployment is not None and drift.expected in (deployment.model.served_name, deployment.name)


def _bounded(text: str) -> str:
    """Words of a provider, fit for a log: short and printable."""
    return "".join(letter for letter in text[:FOUND_CHARACTERS_MAX] if letter.isprintable())
