"""An Azure is declared once, checked whole, and every refusal says what was found."""

from pathlib import Path
from typing import Any

import pytest

from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import built_in
from changeover.azure_sim.arm.declaration import (
    SUBSCRIPTION,
    Declaration,
    DeclarationError,
    DeclaredAccount,
    DeclaredDate,
    DeclaredDeployment,
    built_in_declaration,
    estate_of,
    own_models,
    read_declaration,
)
from changeover.azure_sim.arm.moments import NEVER, moment, written
from changeover.azure_sim.stage import summariser_stage

FILE = """
clock: "2026-11-20"
subscriptions: [{id: 00000000-0000-0000-0000-00000000000A, name: sandbox, established: false}]
accounts:
  - name: aoai-one
    subscription: 00000000-0000-0000-0000-00000000000A
    location: eastus2
    content_filters: [strict]
    deployments:
      - {name: pinned, model: gpt-4o, version: "2024-11-20", capacity: 50, upgrade: NoAutoUpgrade, content_filter: strict}
      - {name: usual, model: gpt-4o-mini, version: "2024-07-18"}
      - {name: stored-null, model: gpt-4o, version: "2024-08-06", upgrade: null, paused: true}
quota: [{sku: Standard, model: gpt-4o, limit: 60, region: eastus2, subscription: 00000000-0000-0000-0000-00000000000A}]
identities: {auditor: reader}
conduct: {write_s: 0}
"""


def test_a_file_says_all_that_there_is(tmp_path: Path) -> None:
    path = tmp_path / "azure.yaml"
    path.write_text(FILE)
    declaration = read_declaration(path)
    estate = estate_of(declaration, now=0.0)
    deployments = estate.accounts["aoai-one"].deployments
    assert [each.upgrade_option for each in deployments.values()] == ["NoAutoUpgrade", "OnceNewDefaultVersionAvailable", None]
    assert deployments["pinned"].properties["raiPolicyName"] == "strict"
    assert deployments["stored-null"].paused
    assert estate.limits == {"00000000-0000-0000-0000-00000000000a/eastus2/OpenAI.Standard.gpt-4o": 60}
    assert declaration.identities == {"auditor": "reader"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accounts: [{name: a, colour: red}]", "colour"),
        ("accounts: [{name: a, deployments: [{name: d, model: gpt-4o, version: 2024-11-20}]}]", "quotes"),
        ("accounts: [", "expected accounts"),
        ("conduct: {speed: 1}", "speed"),
        ("identities: {somebody: king}", "king"),
    ],
)
def test_a_faulty_file_is_refused_with_what_was_found(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "azure.yaml"
    path.write_text(text)
    with pytest.raises(DeclarationError, match=said):
        read_declaration(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match="no readable file"):
        read_declaration(tmp_path / "azure.yaml")


def account(**more: Any) -> Declaration:
    return Declaration(accounts=(DeclaredAccount(name="a", **more),))


def with_one(**more: Any) -> Declaration:
    declared: dict[str, Any] = {"name": "d", "model": "gpt-4o", "version": "2024-11-20"}
    return account(deployments=(DeclaredDeployment(**declared | more),))


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        (account(subscription="none"), "subscription none"),
        (account(location="atlantis"), "atlantis"),
        (Declaration(accounts=(DeclaredAccount(name="a"), DeclaredAccount(name="A"))), "twice"),
        (with_one(version="2025-05-13"), "which the catalogue has not"),
        (with_one(sku="Gold"), "Gold"),
        (with_one(content_filter="unknown"), "unknown"),
        (Declaration(defaults=(DeclaredDate(model="gpt-4o", version="2024-11-20", at="soon"),)), "'soon'"),
    ],
)
def test_what_cannot_stand_there_is_refused(declaration: Declaration, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        estate_of(declaration, now=0.0)


def test_what_is_built_in_needs_no_leave_of_dates_or_quota() -> None:
    estate = estate_of(built_in_declaration(), now=moment("2040-01-01"), stage=summariser_stage())
    assert list(estate.accounts) == ["aoai-summaries-sim", "aoai-genai-sim"]
    assert list(estate.subscriptions) == [SUBSCRIPTION]


def test_a_stages_own_versions_are_in_the_catalogue_and_never_end() -> None:
    estate = estate_of(built_in_declaration(), now=0.0, stage=summariser_stage())
    calendar = Calendar(estate, own=own_models(summariser_stage()))
    reasoner = calendar.find("reasoner", "2026-10-01")
    assert reasoner is not None
    assert (reasoner.family, calendar.retires_at(reasoner, region="swedencentral")) == ("reasoning", NEVER)


def test_every_replacement_in_the_catalogue_exists_and_outlives_what_it_replaces() -> None:
    rows = {(row.name, row.version): row for row in built_in()}
    replaced = [row for row in rows.values() if row.replacement is not None]
    assert replaced
    for row in replaced:
        assert row.replacement is not None
        assert rows[row.replacement.name, row.replacement.version].retires_at > row.retires_at


def test_a_moment_without_a_zone_is_utc() -> None:
    assert written(moment("2026-12-01")) == written(moment("2026-12-01T01:00:00+01:00")) == "2026-12-01T00:00:00Z"
