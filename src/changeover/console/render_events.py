"""How does the log of events read? One line an event: when, who, what, why. Pure."""

from collections import Counter
from typing import Final, assert_never

from rich.console import RenderableType

from changeover.api.answers import EventsAnswer
from changeover.console import words
from changeover.console.render_preflight import preflight_lines
from changeover.console.tables import cell, plain_table
from changeover.rollout.state import Phase
from changeover.rollout.world import (
    Applied,
    ChangeBody,
    DriftSeen,
    FingerprintSeen,
    KeyCreated,
    KeyRevoked,
    KeysRequired,
    PairReleased,
    PromotionUndone,
    RolloutMoved,
    RolloutStarted,
    Seeded,
    Split,
    SplitSet,
    TokenCreated,
    TokenRevoked,
    WeekSummed,
)

APPLIED_SHOWN: Final = 8
"""More places than these are counted."""


def render_events(answer: EventsAnswer) -> RenderableType:
    if not answer.events:
        return cell("no events")
    table = plain_table("rev", "when (UTC)", "actor", "task", "what", "why", right=("rev",), whole=("when (UTC)",))
    for event in answer.events:
        table.add_row(
            cell(str(event.revision)),
            cell(words.moment(event.at)),
            cell(event.actor),
            cell(event.task or "all"),
            cell(what_happened(event.change)),
            cell(event.reason),
        )
    return table


def what_happened(change: ChangeBody) -> str:
    match change:
        case Seeded():
            return f"taken over from the file: {len(change.tasks)} tasks, {len(change.deployments)} deployments"
        case Applied():
            return _applied(change)
        case SplitSet():
            return _split(change.split)
        case RolloutStarted(rollout=rollout, preflight=preflight):
            started = f"rollout {rollout.id} started: {rollout.candidate} at {words.percent(rollout.progress.permille / 10)}"
            return "; ".join((started, *preflight_lines(preflight)))
        case RolloutMoved():
            return _moved(change)
        case PromotionUndone():
            return f"promotion by {change.rollout} undone, its old stable serves again"
        case PairReleased():
            return f"{change.stable} -> {change.candidate} released"
        case KeyCreated() | KeyRevoked() | KeysRequired() | TokenCreated() | TokenRevoked():
            return _door(change)
        case DriftSeen() | FingerprintSeen() | WeekSummed():
            return _seen(change)
        case _:
            assert_never(change)


def _door(change: KeyCreated | KeyRevoked | KeysRequired | TokenCreated | TokenRevoked) -> str:
    match change:
        case KeyCreated(key=key):
            instead = f" in place of {change.replaces}" if change.replaces else ""
            return f"key {key.id} ({key.name}) made{instead}"
        case KeyRevoked():
            return f"key {change.key_id} revoked"
        case KeysRequired():
            return f"callers {'must' if change.required else 'need not'} have a key"
        case TokenCreated(token=token):
            return f"token {token.id} made: {token.actor}"
        case TokenRevoked():
            return f"token {change.token_id} revoked"


def _seen(change: DriftSeen | FingerprintSeen | WeekSummed) -> str:
    match change:
        case DriftSeen(drift=drift):
            return f"drift: {drift.sentence}"
        case FingerprintSeen():
            return f"{change.deployment} answers with fingerprint {change.fingerprint}"
        case WeekSummed():
            return f"the week summed up until {words.moment(change.until)} UTC"


def _applied(change: Applied) -> str:
    """Every place of the file that changed something, and how."""
    changes = [each for each in change.amendments if each.is_change]
    counted = ", ".join(f"{count} {effect}" for effect, count in Counter(each.effect for each in changes).items())
    shown = "; ".join(f"{each.path} {each.effect}" for each in changes[:APPLIED_SHOWN])
    more = f"; and {len(changes) - APPLIED_SHOWN} more" if len(changes) > APPLIED_SHOWN else ""
    return f"the file was applied ({counted}): {shown}{more}"


def _split(split: Split | None) -> str:
    return "split removed, all to the stable" if split is None else f"split: {split.candidate} {words.percent(split.permille / 10)}"


def _moved(change: RolloutMoved) -> str:
    """What the rollout did: the event while it goes on, else where it has come to."""
    progress = change.progress
    did = change.event if progress.phase is Phase.RUNNING else progress.phase
    return f"{did.replace('_', ' ')}: step {progress.step + 1}, {words.percent(progress.permille / 10)}"
