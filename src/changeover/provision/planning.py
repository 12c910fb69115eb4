"""How do a file's deployments come to be in Azure? Everything that is known in; the plan, with every refusal, out.

Nothing here removes a deployment, and a version is never changed under a name: a new one is made beside the old.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from changeover.provision.actual import AccountKey, ActualDeployment
from changeover.provision.known import Known, Region
from changeover.provision.offers import CLOSING_STATUS, Offer, SkuOffer, offer_of, versions_of
from changeover.provision.plan import Act, Order, ProvisionPlan, Refused, Remark, Step, changes_between
from changeover.provision.quota import QuotaBook
from changeover.provision.sizes import size_fault
from changeover.versions import PINNED, Deployment
from changeover.versions.dates import day_words
from changeover.versions.naming import NamePolicy
from changeover.versions.sku import capacity_words

DEFAULT_SKU: Final = "GlobalStandard"
"""For a new deployment that names none."""
_PINNING: Final = ["upgrade"]


def plan_deployments(declared: Mapping[str, Deployment], known: Known, *, policy: NamePolicy, now: float) -> ProvisionPlan:
    """What makes Azure as ``declared`` says. Only accounts of ``known`` are looked at."""
    draft = _Draft(declared, known, policy, now)
    for deployment in declared.values():
        if deployment.account in known.accounts:
            draft.consider(deployment)
    return draft.plan()


class _Draft:
    """The plan in the making."""

    def __init__(self, declared: Mapping[str, Deployment], known: Known, policy: NamePolicy, now: float) -> None:
        self._declared = declared
        self._known = known
        self._policy = policy
        self._now = now
        self._wishes: list[tuple[Deployment, ActualDeployment | None, Step]] = []
        self._refused: list[Refused] = []
        self._remarks: list[Remark] = []

    def plan(self) -> ProvisionPlan:
        """What gives capacity back comes first, then pins, then what takes capacity."""
        book = QuotaBook(quota for region in self._known.regions.values() for quota in region.quotas)
        wishes = sorted(self._wishes, key=lambda wish: _rank(wish[1], wish[2]))
        steps = [step for deployment, before, step in wishes if self._fits(book, deployment, before, step)]
        return ProvisionPlan(steps=tuple(steps), refused=tuple(self._refused), remarks=tuple(self._remarks))

    def consider(self, wanted: Deployment) -> None:
        before = self._find(wanted.account, wanted.provider_name)
        if wanted.observed:
            self._look_at(wanted, before)
        elif before is None:
            self._create(wanted)
        elif before.model != wanted.model:
            self._replace(wanted, before)
        elif before.sku.casefold() != (wanted.sku or before.sku).casefold():
            found = f"it is sold as {before.sku} in Azure, the file says {wanted.sku}"
            self._refuse(wanted, found, "declare another deployment with that SKU, and move its tasks by a rollout")
        else:
            self._change(wanted, before)

    def _look_at(self, wanted: Deployment, before: ActualDeployment | None) -> None:
        if before is None:
            self._remark(wanted, "is not there; it is observed, so whoever makes it has to")
            return
        found = changes_between(before, self._order(wanted, before, wanted.provider_name))
        if found:
            words = ", ".join(f"{each.field} is {each.before or 'not said'}, the file says {each.after}" for each in found)
            self._remark(wanted, f"{words}; it is observed and left as it is")

    def _create(self, wanted: Deployment) -> None:
        order = self._order(wanted, None, wanted.provider_name)
        if self._is_offered(wanted, order):
            self._wish(wanted, None, _step("create", self._key(wanted), order, note=self._closing(wanted, order)))

    def _replace(self, wanted: Deployment, before: ActualDeployment) -> None:
        """Another version goes beside: changing it in place would move all its traffic at once, without a trial."""
        name = self._policy.render(wanted.model, wanted.environment)
        told = f"Azure has {before.model} under this name, the file says {wanted.model}"
        if name.casefold() == before.name.casefold():
            self._refuse(wanted, told, "give the deployment of that version a name of its own; a version never changes under a name")
            return
        beside = self._find(wanted.account, name)
        if beside is not None and beside.model == wanted.model:
            self._remark(wanted, f"{wanted.model} stands beside it as {name}: declare that name, and move its tasks by a rollout")
            return
        others = [each for each in self._on(wanted.account) if each.provider_name == name]
        if beside is None and any(each.model == wanted.model for each in others):
            self._remark(wanted, f"{told}; {name} is declared for that: move its tasks there, and take this entry back to {before.model}")
            return
        if beside is not None or others:
            self._refuse(wanted, f"{told}, and {name} is taken", "declare the new version under a free name")
            return
        order = self._order(wanted, before, name)
        if self._is_offered(wanted, order):
            note = f"{before.name} stays on {before.model}; declare {name}, and move its tasks by a rollout"
            step = _step("replace", self._key(wanted), order, note=note)
            self._wish(wanted, None, msgspec.structs.replace(step, beside=before.name))

    def _change(self, wanted: Deployment, before: ActualDeployment) -> None:
        order = self._order(wanted, before, wanted.provider_name)
        changes = changes_between(before, order)
        if not changes:
            return
        if any(each.field == "capacity" for each in changes) and not self._has_size(wanted, order):
            return
        act: Act = "pin" if [each.field for each in changes] == _PINNING and order.upgrade == PINNED else "update"
        note = "" if before.is_settled else f"{before.state} in Azure: waited for first"
        step = Step(act=act, account=self._key(wanted), deployment=order.name, order=order, changes=changes, note=note)
        self._wish(wanted, before, step)

    def _order(self, wanted: Deployment, before: ActualDeployment | None, name: str) -> Order:
        """What is not said is as it is, else as the stable has it, else as Azure would have it."""
        pattern = before or self._stable_of(wanted)
        sku = wanted.sku or (DEFAULT_SKU if pattern is None else pattern.sku)
        sold = self._sold(wanted, sku)
        usual = 1 if sold is None else sold.default or sold.minimum or 1
        kept = pattern.capacity if pattern is not None and pattern.sku.casefold() == sku.casefold() else None
        return Order(
            name=name,
            model=wanted.model,
            format=before.format if before is not None else "OpenAI" if (offer := self._offer(wanted)) is None else offer.format,
            sku=sku,
            capacity=wanted.capacity or kept or usual,
            upgrade=wanted.upgrade,
            content_filter=wanted.content_filter or (None if pattern is None else pattern.content_filter),
        )

    def _stable_of(self, wanted: Deployment) -> ActualDeployment | None:
        """What its task trusts, as it is in Azure; policies are an account's own, so another account's is no pattern."""
        stable = self._declared.get(self._known.stables.get(wanted.name, ""))
        if stable is None or stable.account != wanted.account:
            return None
        return self._find(stable.account, stable.provider_name)

    def _is_offered(self, wanted: Deployment, order: Order) -> bool:
        offers, account = self._region(wanted).offers, self._known.accounts[wanted.account]
        if not offers:
            return True
        offer = offer_of(offers, order.model)
        if offer is None:
            versions = ", ".join(versions_of(offers, order.model.name)) or "none"
            self._refuse(wanted, f"{order.model} is not offered in {account.region}", f"versions there: {versions}")
            return False
        if offer.is_retired(order.sku, now=self._now):
            retired_at = offer.retirement_of(order.sku)
            when = "" if retired_at is None else f" since {day_words(retired_at)}"
            self._refuse(wanted, f"{order.model} is retired{when}", "declare a version that serves")
            return False
        if offer.sku(order.sku) is None:
            sold = ", ".join(sorted(each.name for each in offer.skus)) or "no SKU"
            self._refuse(wanted, f"{order.model} is not sold as {order.sku} in {account.region}", f"it is sold as {sold}")
            return False
        return self._has_size(wanted, order)

    def _has_size(self, wanted: Deployment, order: Order) -> bool:
        sold = self._sold(wanted, order.sku)
        fault = None if sold is None else size_fault(sold, order.capacity)
        if fault is not None:
            self._refuse(wanted, f"a capacity of {capacity_words(order.sku, order.capacity)}", fault)
        return fault is None

    def _fits(self, book: QuotaBook, wanted: Deployment, before: ActualDeployment | None, step: Step) -> bool:
        assert step.order is not None, "a plan from a file only makes and changes"
        sold, account = self._sold(wanted, step.order.sku), self._known.accounts[wanted.account]
        if sold is None or not sold.quota:
            return True
        more = step.order.capacity - (0 if before is None else before.capacity or 0)
        shortage = book.take(subscription=account.subscription, region=account.region, name=sold.quota, units=more)
        if shortage is not None:
            asked, free, limit = (capacity_words(step.order.sku, each) for each in (shortage.asked, shortage.free, shortage.quota.limit))
            found = f"{asked} more of {sold.quota} in {account.region}, where {free} are free of {limit}: {shortage.short:,} units short"
            self._refuse(wanted, found, "ask for less, remove a deployment that nobody uses, or have the quota raised")
        return shortage is None

    def _closing(self, wanted: Deployment, order: Order) -> str:
        offer = self._offer(wanted)
        if offer is None or offer.status != CLOSING_STATUS:
            return ""
        retires_at = offer.retirement_of(order.sku)
        until = "" if retires_at is None else f"; it retires on {day_words(retires_at)}"
        return f"only subscriptions that have deployed this version before may deploy it{until}"

    def _offer(self, wanted: Deployment) -> Offer | None:
        return offer_of(self._region(wanted).offers, wanted.model)

    def _sold(self, wanted: Deployment, sku: str) -> SkuOffer | None:
        offer = self._offer(wanted)
        return None if offer is None else offer.sku(sku)

    def _region(self, wanted: Deployment) -> Region:
        account = self._known.accounts[wanted.account]
        return self._known.regions.get((account.subscription, account.region), Region())

    def _on(self, account: str) -> list[Deployment]:
        return [each for each in self._declared.values() if each.account == account]

    def _find(self, account: str, name: str) -> ActualDeployment | None:
        return found_under(self._known.deployments.get(account, ()), name)

    def _key(self, wanted: Deployment) -> AccountKey:
        return self._known.accounts[wanted.account].key

    def _wish(self, wanted: Deployment, before: ActualDeployment | None, step: Step) -> None:
        self._wishes.append((wanted, before, step))

    def _refuse(self, wanted: Deployment, found: str, remedy: str) -> None:
        self._refused.append(Refused(account=wanted.account, deployment=wanted.provider_name, found=found, remedy=remedy))

    def _remark(self, wanted: Deployment, text: str) -> None:
        self._remarks.append(Remark(account=wanted.account, deployment=wanted.provider_name, text=text))


def found_under(deployments: Iterable[ActualDeployment], name: str) -> ActualDeployment | None:
    """Azure does not mind capitals in names."""
    return next((each for each in deployments if each.name.casefold() == name.casefold()), None)


def unmanaged(declared: Iterable[Deployment], account: str, actual: Sequence[ActualDeployment]) -> tuple[str, ...]:
    """Deployments of an account that no file speaks of. They are left alone."""
    known = {each.provider_name.casefold() for each in declared if each.account == account}
    return tuple(each.name for each in actual if each.name.casefold() not in known)


def _step(act: Act, key: AccountKey, order: Order, *, note: str = "") -> Step:
    return Step(act=act, account=key, deployment=order.name, order=order, changes=changes_between(None, order), note=note)


def _rank(before: ActualDeployment | None, step: Step) -> int:
    assert step.order is not None
    more = step.order.capacity - (0 if before is None else before.capacity or 0)
    return 0 if more < 0 else 1 if step.act == "pin" else 2 if before is not None else 3
