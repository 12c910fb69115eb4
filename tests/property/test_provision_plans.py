"""Whatever a file declares and whatever is in Azure: a plan leads to what is declared, once, and takes nothing away."""

from hypothesis import given
from hypothesis import strategies as st

from changeover.provision.known import Known
from changeover.provision.plan import ProvisionPlan, Refused, Step
from changeover.provision.removal import Uses, pausing, removal
from changeover.versions import PINNED, Deployment
from tests.unit.provision.clouds import ACCOUNT, GONE, MINI, NEW, NOW, OLD, after, known, planned, there, wanted

NAMES = st.sampled_from(["chat", "gpt-4o", "gpt4o-prod-v1120", "gpt4o-prod-v0513", "gpt4omini-prod-v0718"])
MODELS = st.sampled_from([OLD, NEW, MINI, GONE])
SKUS = st.sampled_from(["Standard", "GlobalStandard", "ProvisionedManaged"])
UPGRADES = st.sampled_from([None, PINNED, "OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired"])
FILTERS = st.sampled_from([None, "strict", "mild"])
CAPACITIES = st.sampled_from([None, 1, 50, 75, 120])
DECLARED = st.builds(
    wanted,
    NAMES,
    MODELS,
    sku=SKUS | st.none(),
    capacity=CAPACITIES,
    content_filter=FILTERS,
    upgrade=UPGRADES.filter(bool),
    observed=st.booleans(),
)
ACTUAL = st.builds(there, NAMES, MODELS, sku=SKUS, capacity=st.sampled_from([1, 50, 100]), upgrade=UPGRADES, content_filter=FILTERS)
FILES = st.lists(DECLARED, max_size=4, unique_by=lambda each: each.name)
CLOUDS = st.builds(
    lambda found, free: known(*found, free=free), st.lists(ACTUAL, max_size=4, unique_by=lambda each: each.name), st.integers(0, 200)
)


def is_as_declared(wish: Deployment, found: Known) -> bool:
    actual = next((each for each in found.deployments["aoai"] if each.name == wish.name), None)
    return actual is not None and (
        actual.model == wish.model
        and wish.sku in (None, actual.sku)
        and wish.capacity in (None, actual.capacity)
        and actual.upgrade == wish.upgrade
        and wish.content_filter in (None, actual.content_filter)
    )


def told(plan: ProvisionPlan) -> set[str]:
    return {each.deployment for each in (*plan.refused, *plan.remarks)} | {step.beside for step in plan.steps}


@given(FILES, CLOUDS)
def test_a_plan_makes_azure_as_declared_or_says_of_each_why_not(declared: list[Deployment], found: Known) -> None:
    plan = planned(declared, found)
    result = after(found, plan)
    for wish in declared:
        assert is_as_declared(wish, result) or wish.name in told(plan), wish


@given(FILES, CLOUDS)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(declared: list[Deployment], found: Known) -> None:
    plan = planned(declared, found)
    again = planned(declared, after(found, plan))
    assert {step.deployment for step in again.steps} <= {each.deployment for each in plan.refused}
    if not plan.refused:
        assert again.steps == ()


@given(FILES, CLOUDS)
def test_no_plan_takes_a_deployment_away_or_changes_its_version(declared: list[Deployment], found: Known) -> None:
    before = {each.name: each.model for each in found.deployments["aoai"]}
    plan = planned(declared, found)
    observed = {wish.name for wish in declared if wish.observed}
    result = {each.name: each.model for each in after(found, plan).deployments["aoai"]}
    assert before.items() <= result.items()
    assert all(step.act in ("create", "replace", "pin", "update") for step in plan.steps)
    assert observed.isdisjoint(step.deployment for step in plan.steps if step.act != "replace")
    assert all(step.order is not None and step.order.upgrade in {wish.upgrade for wish in declared} for step in plan.steps)


@given(FILES, CLOUDS)
def test_quota_is_never_overspent(declared: list[Deployment], found: Known) -> None:
    plan = planned(declared, found)
    before = {each.name: each.capacity or 0 for each in found.deployments["aoai"]}
    region = found.regions["s", "swedencentral"]
    for quota in region.quotas:
        sold = {(offer.model, sku.name) for offer in region.offers for sku in offer.skus if sku.quota == quota.name}
        grown = [
            step.order.capacity - before.get(step.deployment, 0)
            for step in plan.steps
            if step.order is not None and (step.order.model, step.order.sku) in sold
        ]
        spent = 0
        for units in grown:
            spent += units
            assert units <= 0 or spent <= quota.limit - quota.used


@given(
    st.builds(
        Uses,
        tasks=st.lists(st.just("t"), max_size=1).map(tuple),
        rollouts=st.lists(st.just("r"), max_size=1).map(tuple),
        planes=st.lists(st.just("p"), max_size=1).map(tuple),
        retained_until=st.none() | st.floats(NOW - 10, NOW + 10),
    )
    | st.none(),
    ACTUAL.map(lambda each: each),
)
def test_nothing_that_may_be_used_is_deleted_or_paused(uses: Uses | None, actual: object) -> None:
    free = uses is not None and not (uses.tasks or uses.rollouts or uses.planes) and (uses.retained_until or 0.0) <= NOW
    step = removal(ACCOUNT.key, actual, uses, now=NOW)  # type: ignore[arg-type]
    assert isinstance(step, Step) is free
    assert free or isinstance(pausing(ACCOUNT.key, actual, uses, now=NOW), Refused)  # type: ignore[arg-type]
