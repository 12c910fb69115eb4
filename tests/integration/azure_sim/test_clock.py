"""When the clock is moved, what is not pinned changes version as on Azure, and what is retired stops."""

import pytest

from changeover.azure_sim.arm.declaration import DeclaredDate, DeclaredDeployment
from tests.integration.azure_sim.stand_in import Azure, one_account, running_azure

NEW_DEFAULT = DeclaredDate(model="gpt-4o", version="2024-11-20", at="2026-11-22")
OPTIONS = {
    "pinned": "NoAutoUpgrade",
    "when-new": "OnceNewDefaultVersionAvailable",
    "when-expired": "OnceCurrentVersionExpired",
    "null": None,
}


def a(name: str, version: str = "2024-08-06", *, model: str = "gpt-4o", sku: str = "Standard", upgrade: str | None) -> DeclaredDeployment:
    return DeclaredDeployment(name=name, model=model, version=version, sku=sku, capacity=15, upgrade=upgrade)


def versions(azure: Azure) -> dict[str, str]:
    listed = azure.arm("GET", f"{azure.account_path()}/deployments").json()["value"]
    models = {each["name"]: each["properties"]["model"] for each in listed}
    return {name: f"{model['name']} {model['version']}" for name, model in models.items()}


def test_a_new_default_moves_what_waits_for_it_and_nothing_else() -> None:
    with running_azure(one_account(*(a(name, upgrade=option) for name, option in OPTIONS.items()), defaults=(NEW_DEFAULT,))) as azure:
        before = azure.chat("when-new").json()
        etag = azure.deployment("when-new")["etag"]
        azure.advance(days=1)
        assert set(versions(azure).values()) == {"gpt-4o 2024-08-06"}
        azure.advance(days=16)
        assert versions(azure) == dict.fromkeys(OPTIONS, "gpt-4o 2024-08-06") | {"when-new": "gpt-4o 2024-11-20"}
        after = azure.chat("when-new").json()
        assert (before["model"], after["model"]) == ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20")
        assert before["system_fingerprint"] != after["system_fingerprint"]
        assert azure.deployment("when-new")["etag"] != etag
        assert [line.split(" ", 1)[1] for line in azure.shown("log")] == [
            "aoai-genai-sim/when-new was moved from gpt-4o 2024-08-06 to gpt-4o 2024-11-20"
        ]


def test_moves_to_a_new_default_are_spread_over_two_weeks() -> None:
    many = [a(f"d{number}", upgrade="OnceNewDefaultVersionAvailable") for number in range(8)]
    with running_azure(one_account(*many, defaults=(NEW_DEFAULT,))) as azure:
        moves = [each["next_move"]["at"] for each in azure.shown()["accounts"][0]["deployments"]]
        assert len(set(moves)) == len(moves)
        assert all("2026-11-22" <= at < "2026-12-06" for at in moves)


def test_a_default_for_another_region_moves_nothing_here() -> None:
    elsewhere = DeclaredDate(model="gpt-4o-mini", version="2099-01-01", at="2026-11-22", region="westeurope")
    waiting = a("mini", "2024-07-18", model="gpt-4o-mini", upgrade="OnceNewDefaultVersionAvailable")
    with running_azure(one_account(waiting, defaults=(elsewhere,))) as azure:
        azure.advance(days=60)
        assert versions(azure) == {"mini": "gpt-4o-mini 2024-07-18"}


def test_a_deployment_made_after_the_change_of_default_stays() -> None:
    with running_azure(one_account(defaults=(NEW_DEFAULT,))) as azure:
        azure.advance(days=3)
        azure.put("late", version="2024-08-06")
        azure.tell("clock", {"now": "2026-11-30T00:00:00Z"})
        assert azure.shown()["accounts"][0]["deployments"][0]["next_move"]["at"] >= "2026-12-01"


def test_expiry_moves_to_another_family_a_week_before_the_retirement() -> None:
    declared = one_account(*(a(name, "2024-05-13", sku="GlobalStandard", upgrade=option) for name, option in OPTIONS.items()))
    with running_azure(declared) as azure:
        azure.tell("clock", {"now": "2026-12-01T23:00:00Z"})
        assert versions(azure)["when-expired"] == "gpt-4o 2024-05-13"
        azure.tell("clock", {"now": "2026-12-02T00:00:00Z"})
        moved = versions(azure)
        assert moved["when-expired"] == moved["null"] == "gpt-5.6-sol 2026-07-09"
        assert moved["pinned"] == "gpt-4o 2024-05-13"


@pytest.mark.parametrize(("sku", "upgrade"), [("Standard", "NoAutoUpgrade"), ("ProvisionedManaged", "OnceNewDefaultVersionAvailable")])
def test_what_never_moves_answers_410_from_its_retirement_on(sku: str, upgrade: str) -> None:
    with running_azure(one_account(a("kept", "2024-05-13", sku=sku, upgrade=upgrade))) as azure:
        azure.tell("clock", {"now": "2026-12-08T23:59:00Z"})
        assert azure.chat("kept").status_code == 200
        azure.tell("clock", {"now": "2026-12-09T00:00:00Z"})
        reply = azure.chat("kept")
        assert (reply.status_code, reply.json()["error"]["code"]) == (410, "ModelDeprecated")
        assert versions(azure) == {"kept": "gpt-4o 2024-05-13"}
        models = azure.arm("GET", f"{azure.account_path()}/models").json()["value"]
        (status,) = [each["lifecycleStatus"] for each in models if (each["name"], each["version"]) == ("gpt-4o", "2024-05-13")]
        assert status == "Deprecated"
        assert azure.put("again", version="2024-05-13").json()["error"]["code"] == "ServiceModelDeprecated"


def test_a_date_that_moves_earlier_for_one_sku_and_region_holds_there_alone() -> None:
    deployments = (
        a("here", "2024-11-20", upgrade="NoAutoUpgrade"),
        a("global", "2024-11-20", sku="GlobalStandard", upgrade="NoAutoUpgrade"),
    )
    with running_azure(one_account(*deployments)) as azure:
        moved = {"model": "gpt-4o", "version": "2024-11-20", "at": "2026-11-25", "region": "swedencentral", "sku": "Standard"}
        azure.tell("retirements", [moved])
        azure.advance(days=10)
        assert (azure.chat("here").status_code, azure.chat("global").status_code) == (410, 200)
        models = azure.arm("GET", f"{azure.account_path()}/models").json()["value"]
        (skus,) = [each["skus"] for each in models if (each["name"], each["version"]) == ("gpt-4o", "2024-11-20")]
        assert {sku["name"]: sku["deprecationDate"] for sku in skus if "deprecationDate" in sku} == {"Standard": "2026-11-25T00:00:00Z"}


def test_a_date_for_another_region_ends_nothing_here() -> None:
    with running_azure(one_account(a("here", "2024-11-20", upgrade="NoAutoUpgrade"))) as azure:
        azure.tell("retirements", [{"model": "gpt-4o", "version": "2024-11-20", "at": "2026-11-25", "region": "westeurope"}])
        azure.advance(days=10)
        assert azure.chat("here").status_code == 200


def test_a_developer_deployment_lives_a_day() -> None:
    with running_azure(one_account()) as azure:
        azure.put("toy", sku="DeveloperTier")
        azure.advance(days=1)
        assert versions(azure) == {}


def test_a_version_can_be_made_worse_while_it_serves() -> None:
    with running_azure(one_account(a("kept", upgrade="NoAutoUpgrade"))) as azure:
        good = azure.chat("kept").json()["choices"][0]["message"]["content"]
        azure.tell("profiles", [{"model": "gpt-4o", "version": "2024-08-06", "profile": {"method": "last-sentence"}}])
        bad = azure.chat("kept").json()["choices"][0]["message"]["content"]
        assert (good, bad) == ("The reader opens a file.", "It never writes.")
