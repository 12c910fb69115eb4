"""From a file's deployments and what is in Azure to a plan, and every refusal."""

import pytest

from changeover.provision.plan import FieldChange, ProvisionPlan
from changeover.provision.planning import unmanaged
from changeover.versions import Deployment, ModelVersion
from tests.unit.provision.clouds import GONE, MINI, NEW, OLD, after, known, planned, there, wanted

PINNED = "NoAutoUpgrade"


def acts(plan: ProvisionPlan) -> list[tuple[str, str]]:
    return [(step.act, step.deployment) for step in plan.steps]


def test_what_is_as_declared_needs_nothing() -> None:
    plan = planned([wanted("a", sku="Standard", capacity=50)], known(there("A", upgrade=PINNED)))
    assert plan == ProvisionPlan()


@pytest.mark.parametrize("upgrade", [None, "OnceNewDefaultVersionAvailable", "OnceCurrentVersionExpired"])
def test_a_deployment_that_is_not_pinned_is_pinned_with_everything_else_as_it_is(upgrade: str | None) -> None:
    (step,) = planned([wanted("chat")], known(there("chat", upgrade=upgrade, capacity=7, content_filter="strict"))).steps
    assert (step.act, step.changes) == ("pin", (FieldChange(field="upgrade", before=upgrade or "not said", after=PINNED),))
    assert step.order is not None
    assert (step.order.capacity, step.order.content_filter, step.order.model) == (7, "strict", OLD)


def test_a_new_deployment_is_created_with_the_filter_policy_and_the_size_of_the_stable() -> None:
    declared = [wanted("old"), wanted("new", NEW)]
    (step,) = planned(declared, known(there("old", upgrade=PINNED, content_filter="strict-v2"), stables={"new": "old"})).steps
    assert step.act == "create"
    assert step.order is not None
    assert (step.order.sku, step.order.capacity, step.order.content_filter, step.order.upgrade) == ("Standard", 50, "strict-v2", PINNED)
    assert FieldChange(field="capacity", after="50 = 50,000 TPM") in step.changes


def test_a_filter_policy_that_is_told_is_not_copied() -> None:
    declared = [wanted("old"), wanted("new", NEW, content_filter="mild")]
    (step,) = planned(declared, known(there("old", upgrade=PINNED, content_filter="strict-v2"), stables={"new": "old"})).steps
    assert step.order is not None
    assert step.order.content_filter == "mild"


def test_another_version_is_made_beside_the_old_under_the_name_of_the_policy() -> None:
    found = known(there("chat", upgrade=PINNED))
    plan = planned([wanted("chat", NEW)], found)
    (step,) = plan.steps
    assert (step.act, step.deployment, step.beside) == ("replace", "gpt4o-prod-v1120", "chat")
    assert "chat stays on gpt-4o 2024-05-13" in step.note
    again = planned([wanted("chat", NEW)], after(found, plan))
    assert again.steps == again.refused == ()
    assert "declare that name" in again.remarks[0].text


def test_a_version_never_changes_under_a_name_that_says_it() -> None:
    plan = planned([wanted("gpt4o-prod-v1120", NEW)], known(there("gpt4o-prod-v1120", OLD)))
    assert plan.steps == ()
    assert "Azure has gpt-4o 2024-05-13 under this name" in plan.refused[0].found


def test_a_name_that_another_version_has_is_not_taken() -> None:
    plan = planned([wanted("chat", NEW)], known(there("chat"), there("gpt4o-prod-v1120", MINI)))
    assert plan.steps == ()
    assert "gpt4o-prod-v1120 is taken" in plan.refused[0].found


def test_a_successor_that_is_declared_already_is_made_once() -> None:
    plan = planned([wanted("chat", NEW), wanted("gpt4o-prod-v1120", NEW, sku="Standard")], known(there("chat")))
    assert acts(plan) == [("create", "gpt4o-prod-v1120")]
    assert "is declared for that" in plan.remarks[0].text


@pytest.mark.parametrize(
    ("declared", "found", "remedy"),
    [
        (wanted("n", MINI, sku="Standard"), "gpt-4o-mini 2024-07-18 is not sold as Standard in swedencentral", "GlobalStandard"),
        (wanted("n", GONE, sku="Standard"), "gpt-4 0314 is retired since 2026-08-10", "declare a version that serves"),
        (wanted("n", NEW, sku="ProvisionedManaged", capacity=75), "a capacity of 75 PTU", "steps of 50"),
        (wanted("n", NEW, sku="ProvisionedManaged", capacity=25), "a capacity of 25 PTU", "at least 50 PTU"),
        (wanted("n", NEW, sku="ProvisionedManaged", capacity=5000), "a capacity of 5,000 PTU", "at most 1,000 PTU"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(declared: Deployment, found: str, remedy: str) -> None:
    plan = planned([declared], known())
    assert plan.steps == ()
    assert plan.refused[0].found == found
    assert remedy in plan.refused[0].remedy


def test_an_unknown_version_is_refused_with_those_there_are() -> None:
    odd = wanted("n", ModelVersion(name="gpt-4o", version="2025-05-13"))
    (refused,) = planned([odd], known()).refused
    assert str(refused) == "aoai/n: gpt-4o 2025-05-13 is not offered in swedencentral; versions there: 2024-05-13, 2024-11-20"


def test_a_version_that_is_closing_says_who_may_still_deploy_it() -> None:
    (step,) = planned([wanted("n", OLD, sku="Standard")], known()).steps
    assert step.note == "only subscriptions that have deployed this version before may deploy it; it retires on 2026-12-07"


def test_quota_is_spent_in_order_and_a_shortage_says_how_much_is_short() -> None:
    declared = [wanted("a", NEW, sku="Standard", capacity=60), wanted("b", NEW, sku="Standard", capacity=50)]
    plan = planned(declared, known(free=100))
    assert acts(plan) == [("create", "a")]
    (refused,) = plan.refused
    assert "50 = 50,000 TPM more of OpenAI.Standard.gpt-4o in swedencentral, where 40 = 40,000 TPM are free" in refused.found
    assert refused.found.endswith("10 units short")


def test_capacity_that_is_given_back_is_there_for_what_takes_it() -> None:
    declared = [wanted("new", NEW, sku="Standard", capacity=30), wanted("old", capacity=20), wanted("chat")]
    plan = planned(declared, known(there("old", upgrade=PINNED), there("chat"), free=0))
    assert acts(plan) == [("update", "old"), ("pin", "chat"), ("create", "new")]
    assert plan.refused == ()


def test_another_sku_is_no_change_in_place() -> None:
    plan = planned([wanted("a", NEW, sku="ProvisionedManaged")], known(there("a", NEW, upgrade=PINNED)))
    assert plan.steps == ()
    assert plan.refused[0].found == "it is sold as Standard in Azure, the file says ProvisionedManaged"


def test_what_is_observed_is_told_and_never_written() -> None:
    declared = [wanted("a", observed=True), wanted("b", observed=True), wanted("c", NEW, observed=True)]
    plan = planned(declared, known(there("a", upgrade=PINNED), there("b")))
    assert plan.steps == plan.refused == ()
    assert [(each.deployment, each.text.partition(";")[0]) for each in plan.remarks] == [
        ("b", "upgrade is not said, the file says NoAutoUpgrade"),
        ("c", "is not there"),
    ]


def test_the_name_at_the_provider_is_the_one_that_counts() -> None:
    (step,) = planned([wanted("eu.chat", called="chat")], known(there("chat"))).steps
    assert (step.act, step.deployment) == ("pin", "chat")


def test_what_no_file_speaks_of_is_listed_and_left_alone() -> None:
    present = (there("chat"), there("other"))
    assert planned([wanted("chat")], known(*present)).steps[0].deployment == "chat"
    assert unmanaged([wanted("Chat")], "aoai", present) == ("other",)
