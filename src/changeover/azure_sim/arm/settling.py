"""What happened since anybody looked? Deletions end, short-lived deployments go, and what is not pinned moves to another version."""

import hashlib
from typing import Final

import msgspec

from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import UPGRADED_SKUS
from changeover.azure_sim.arm.deployment_request import DEFAULT_UPGRADE
from changeover.azure_sim.arm.estate import Account, Deployment, Estate
from changeover.azure_sim.arm.moments import DAY_S, written

PINNED: Final = "NoAutoUpgrade"
DEVELOPER_LIFE_S: Final = DAY_S
MOVES_MAX: Final = 20
"""More moves than this in one leap of the clock are not followed."""
LOG_MAX: Final = 1000
_BY: Final = "Microsoft"


class Move(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """The provider moves a deployment to another version."""

    at: float
    model: str
    version: str


def settle(estate: Estate, *, calendar: Calendar, now: float) -> bool:
    """Bring everything up to ``now``; whether anything changed."""
    before = len(estate.log)
    for account in estate.accounts.values():
        for key, deployment in list(account.deployments.items()):
            if _is_over(deployment, now=now):
                del account.deployments[key]
                _tell(estate, now, f"{account.name}/{deployment.name} was deleted")
            else:
                _move_on(estate, account, deployment, calendar=calendar, now=now)
    return len(estate.log) != before


def next_move(deployment: Deployment, *, account: Account, calendar: Calendar, upgrade_days: float) -> Move | None:
    """Where and when the provider moves this deployment next, by what is known; ``None`` for what stays."""
    if deployment.sku not in UPGRADED_SKUS or deployment.upgrade_option == PINNED or deployment.deleting:
        return None
    moves = _expiry_moves(deployment, account=account, calendar=calendar)
    if deployment.upgrade_option == DEFAULT_UPGRADE:
        moves += _default_moves(deployment, account=account, calendar=calendar, upgrade_days=upgrade_days)
    return min(moves, default=None)


def is_retired(deployment: Deployment, *, region: str, calendar: Calendar, now: float) -> bool:
    row = calendar.find(deployment.model, deployment.version)
    return row is not None and now >= calendar.retires_at(row, region=region, sku=deployment.sku)


def _is_over(deployment: Deployment, *, now: float) -> bool:
    aged = deployment.sku == "DeveloperTier" and now >= deployment.created_at + DEVELOPER_LIFE_S
    return aged or (deployment.deleting and now >= deployment.settled_at)


def _move_on(estate: Estate, account: Account, deployment: Deployment, *, calendar: Calendar, now: float) -> None:
    for _ in range(MOVES_MAX):
        move = next_move(deployment, account=account, calendar=calendar, upgrade_days=estate.conduct.upgrade_days)
        if move is None or move.at > now:
            return
        was = f"{deployment.model} {deployment.version}"
        deployment.properties = {
            **deployment.properties,
            "model": {**deployment.properties["model"], "name": move.model, "version": move.version},
        }
        deployment.revision += 1
        deployment.version_since_at = deployment.changed_at = move.at
        deployment.changed_by = _BY
        _tell(estate, move.at, f"{account.name}/{deployment.name} was moved from {was} to {move.model} {move.version}")


def _expiry_moves(deployment: Deployment, *, account: Account, calendar: Calendar) -> list[Move]:
    """To what replaces the version, else to the default, at its retirement; with a replacement named, days before."""
    row = calendar.find(deployment.model, deployment.version)
    if row is None:
        return []
    retires_at = calendar.retires_at(row, region=account.location, sku=deployment.sku)
    if row.replacement is not None:
        at = retires_at - row.replacement.lead_days * DAY_S
        return [Move(at=max(at, deployment.version_since_at), model=row.replacement.name, version=row.replacement.version)]
    default = calendar.default_version(row.name, region=account.location, at=retires_at)
    target = calendar.find(row.name, default) if default not in (None, row.version) else None
    if target is None or calendar.retires_at(target, region=account.location, sku=deployment.sku) <= retires_at:
        return []
    return [Move(at=max(retires_at, deployment.version_since_at), model=target.name, version=target.version)]


def _default_moves(deployment: Deployment, *, account: Account, calendar: Calendar, upgrade_days: float) -> list[Move]:
    """To a default named after the deployment got its version, some time within the days of the policy."""
    told = f"{account.id}/{deployment.name}".lower().encode()
    share = int.from_bytes(hashlib.blake2b(told, digest_size=4).digest(), "big") / 2**32
    return [
        Move(at=change.at + share * upgrade_days * DAY_S, model=change.name, version=change.version)
        for change in calendar.default_changes(deployment.model, region=account.location)
        if change.at > deployment.version_since_at and change.version != deployment.version
    ]


def _tell(estate: Estate, at: float, what: str) -> None:
    estate.log.append(f"{written(at)} {what}")
    del estate.log[:-LOG_MAX]
