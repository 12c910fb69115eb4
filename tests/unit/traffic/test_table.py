"""A routing table names only what is declared, and its weights make sense."""

import msgspec
import pytest

from changeover.traffic.table import Route, RoutingTable, table_faults
from changeover.versions import Account, Deployment, ModelVersion, SecretReference

ACCOUNT = Account(name="aoai", kind="azure-openai", endpoint="https://aoai.example", auth=SecretReference(source="none"))


def deployment(name: str, account: str = "aoai") -> Deployment:
    return Deployment(name=name, account=account, model=ModelVersion(name="gpt-4o", version="2024-11-20"))


MINI = msgspec.structs.replace(deployment("mini"), model=ModelVersion(name="gpt-4o-mini", version="2024-07-18"))
DECLARED = (deployment("old"), deployment("new"), MINI)


def table(*routes: Route, deployments: tuple[Deployment, ...] = DECLARED) -> RoutingTable:
    return RoutingTable(
        revision=1,
        routes={route.task: route for route in routes},
        deployments={each.name: each for each in deployments},
        accounts={"aoai": ACCOUNT},
    )


def test_a_sound_table_has_no_faults() -> None:
    assert table_faults(table(Route(task="mail", stable="old", candidate="new", candidate_permille=100, failover=("new",)))) == []


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (Route(task="mail", stable="gone"), "stable gone is not a declared deployment"),
        (Route(task="mail", stable="old", candidate="gone"), "candidate gone is not a declared deployment"),
        (Route(task="mail", stable="old", failover=("gone",)), "failover gone is not a declared deployment"),
        (Route(task="mail", stable="old", candidate="new", candidate_permille=1001), "not between 0 and 100"),
        (Route(task="mail", stable="old", candidate_permille=10), "without a candidate"),
        (Route(task="mail", stable="old", stable_pool=("old", "gone")), "stable gone is not a declared deployment"),
        (Route(task="mail", stable="old", candidate="new", candidate_pool=("new", "gone")), "candidate gone is not a declared deployment"),
        (Route(task="mail", stable="old", stable_pool=("new", "old")), "the stable pool begins with new, not with old"),
        (Route(task="mail", stable="old", candidate_pool=("new",)), "the candidate pool begins with new, not with None"),
        (Route(task="mail", stable="old", stable_pool=("old", "mini")), "the stable pool holds several model versions"),
        (Route(task="mail", stable="old", stable_pool=("old", "new"), candidate="new"), "new is stable and candidate"),
    ],
)
def test_every_fault_is_named(route: Route, words: str) -> None:
    assert any(words in fault for fault in table_faults(table(route)))


def test_a_side_is_served_by_its_pool_or_by_its_one_deployment() -> None:
    alone = Route(task="mail", stable="old")
    assert (alone.stable_members, alone.candidate_members) == (("old",), ())
    pooled = Route(task="mail", stable="old", stable_pool=("old", "old-eu"), candidate="new", candidate_pool=("new", "new-eu"))
    assert (pooled.stable_members, pooled.candidate_members) == (("old", "old-eu"), ("new", "new-eu"))
    assert table_faults(table(Route(task="mail", stable="old", stable_pool=("old", "new")))) == []


def test_an_account_for_unrouted_requests_must_be_declared() -> None:
    sound = msgspec.structs.replace(table(Route(task="mail", stable="old")), unrouted_account="aoai")
    assert table_faults(sound) == []
    faults = table_faults(msgspec.structs.replace(sound, unrouted_account="elsewhere"))
    assert faults == ["unrouted requests: account elsewhere is not declared"]


def test_a_deployment_of_an_undeclared_account_is_a_fault() -> None:
    faults = table_faults(table(Route(task="mail", stable="old"), deployments=(deployment("old", "elsewhere"),)))
    assert faults == ["deployment old: account elsewhere is not declared"]
