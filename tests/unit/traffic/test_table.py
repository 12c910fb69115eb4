"""A routing table names only what is declared, and its weights make sense."""

import pytest

from changeover.traffic.table import Route, RoutingTable, table_faults
from changeover.versions import Account, Deployment, ModelVersion, SecretReference

ACCOUNT = Account(name="aoai", kind="azure-openai", endpoint="https://aoai.example", auth=SecretReference(source="none"))


def deployment(name: str, account: str = "aoai") -> Deployment:
    return Deployment(name=name, account=account, model=ModelVersion(name="gpt-4o", version="2024-11-20"))


def table(*routes: Route, deployments: tuple[Deployment, ...] = (deployment("old"), deployment("new"))) -> RoutingTable:
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
    ],
)
def test_every_fault_is_named(route: Route, words: str) -> None:
    assert any(words in fault for fault in table_faults(table(route)))


def test_a_deployment_of_an_undeclared_account_is_a_fault() -> None:
    faults = table_faults(table(Route(task="mail", stable="old"), deployments=(deployment("old", "elsewhere"),)))
    assert faults == ["deployment old: account elsewhere is not declared"]
