"""What would bite in a resource as it is? Deployments that are not pinned, upgrade themselves, retire, or are misnamed."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from changeover.provision.actual import ActualAccount, ActualDeployment
from changeover.provision.offers import Offer, offer_of
from changeover.versions import PINNED
from changeover.versions.dates import day_words, days_left
from changeover.versions.naming import Misnaming, NamePolicy

RETIRE_WARNING_DAYS: Final = 180
"""The first of the usual warnings."""
NEVER_UPGRADED: Final = ("provisioned", "batch")
"""SKUs that Azure never upgrades, by a part of their name: they stop at retirement instead."""

Trouble = Literal["unpinned", "auto-upgrading", "retired", "retiring", "retirement-unknown", "misnamed", "not-ready", "paused"]


class Noticed(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble of one deployment, in words, and what is to be done."""

    trouble: Trouble
    found: str
    remedy: str


class Surveyed(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment with its troubles, and the day it retires as far as its region says."""

    account: str
    region: str
    deployment: ActualDeployment
    retires_at: float | None = None
    troubles: tuple[Noticed, ...] = ()


def survey(
    account: ActualAccount, deployments: Iterable[ActualDeployment], offers: Iterable[Offer], *, policy: NamePolicy, now: float
) -> tuple[Surveyed, ...]:
    """Every deployment of ``account``, the worst known of each."""
    listed = tuple(offers)
    return tuple(_surveyed(account, each, offer_of(listed, each.model), policy, now) for each in deployments)


def _surveyed(account: ActualAccount, deployment: ActualDeployment, offer: Offer | None, policy: NamePolicy, now: float) -> Surveyed:
    retires_at = None if offer is None else offer.retirement_of(deployment.sku)
    troubles = (
        *_upgrade_trouble(deployment, offer),
        *_retirement_trouble(deployment, offer, retires_at, now),
        *_name_trouble(deployment, policy),
        *_state_trouble(deployment),
    )
    return Surveyed(account=account.name, region=account.region, deployment=deployment, retires_at=retires_at, troubles=troubles)


def _upgrade_trouble(deployment: ActualDeployment, offer: Offer | None) -> Iterable[Noticed]:
    if deployment.upgrade == PINNED:
        return
    remedy = f"pin it: upgrade: {PINNED}, which changeover deployment apply sends and reads back"
    if any(part in deployment.sku.lower() for part in NEVER_UPGRADED):
        yield Noticed(trouble="unpinned", found=f"not pinned, though {deployment.sku} is not upgraded by Azure", remedy=remedy)
        return
    target = "" if offer is None or offer.replacement is None else f", to {offer.replacement}"
    starts_at = None if offer is None else offer.upgrade_starts_at
    when = "" if starts_at is None else f", from {day_words(starts_at)}"
    match deployment.upgrade:
        case None:
            found = f"no upgrade option: Azure changes its version when it retires{target}{when}"
            yield Noticed(trouble="unpinned", found=found, remedy=remedy)
        case "OnceNewDefaultVersionAvailable":
            found = f"upgrades itself within two weeks of a new default version{target}{when}"
            yield Noticed(trouble="auto-upgrading", found=found, remedy=remedy)
        case "OnceCurrentVersionExpired":
            yield Noticed(trouble="auto-upgrading", found=f"upgrades itself when its version retires{target}{when}", remedy=remedy)
        case other:
            yield Noticed(trouble="unpinned", found=f"an upgrade option that is not known here, {other}", remedy=remedy)


def _retirement_trouble(deployment: ActualDeployment, offer: Offer | None, retires_at: float | None, now: float) -> Iterable[Noticed]:
    remedy = "declare a successor and move its tasks by a rollout"
    if offer is not None and offer.is_retired(deployment.sku, now=now):
        when = "" if retires_at is None else f" since {day_words(retires_at)}"
        yield Noticed(trouble="retired", found=f"{deployment.model} is retired{when}", remedy=remedy)
    elif retires_at is not None and offer is not None:
        left = days_left(retires_at, now=now)
        if left < RETIRE_WARNING_DAYS:
            maybe = " (tentative)" if offer.is_tentative else ""
            yield Noticed(trouble="retiring", found=f"retires on {day_words(retires_at)}{maybe}, in {left} days", remedy=remedy)
    elif retires_at is None:
        found = "its region does not list its version" if offer is None else "its region gives no retirement date"
        yield Noticed(trouble="retirement-unknown", found=found, remedy="look at the provider's list of retirements")


_NAME_WORDS: Final[dict[Misnaming, str]] = {
    "version-missing": "its name does not say its version",
    "version-other": "its name says another version",
    "off-policy": "its name says its version in another way than the policy",
}


def _name_trouble(deployment: ActualDeployment, policy: NamePolicy) -> Iterable[Noticed]:
    wrong = policy.misnamed(deployment.name, deployment.model, "prod")
    if wrong is not None:
        remedy = f"a successor beside it is called {wrong.better}; a deployment cannot be renamed"
        yield Noticed(trouble="misnamed", found=_NAME_WORDS[wrong.kind], remedy=remedy)


def _state_trouble(deployment: ActualDeployment) -> Iterable[Noticed]:
    if deployment.paused:
        yield Noticed(trouble="paused", found="paused: callers get 423", remedy="resume it, or delete it when nobody uses it")
    if deployment.state != "Succeeded":
        yield Noticed(trouble="not-ready", found=f"its state is {deployment.state}", remedy="wait, or look at it in the portal")
