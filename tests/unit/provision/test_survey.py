"""What bites in a resource as it is."""

import pytest

from changeover.provision.survey import survey
from changeover.versions.naming import NamePolicy
from tests.unit.provision.clouds import ACCOUNT, GONE, NEW, NOW, OFFERS, there


def troubles(**deployment: object) -> dict[str, str]:
    (found,) = survey(ACCOUNT, [there(**deployment)], OFFERS, policy=NamePolicy(), now=NOW)  # type: ignore[arg-type]
    return {each.trouble: each.found for each in found.troubles}


def test_a_pinned_deployment_of_a_good_name_has_no_trouble_but_an_unknown_end() -> None:
    assert troubles(name="gpt4o-prod-v1120", model=NEW, upgrade="NoAutoUpgrade") == {
        "retirement-unknown": "its region gives no retirement date"
    }


@pytest.mark.parametrize(
    ("upgrade", "trouble"),
    [
        (None, "unpinned"),
        ("OnceNewDefaultVersionAvailable", "auto-upgrading"),
        ("OnceCurrentVersionExpired", "auto-upgrading"),
        ("SomethingNew", "unpinned"),
    ],
)
def test_all_but_the_pin_is_trouble_and_says_what_azure_would_do(upgrade: str | None, trouble: str) -> None:
    found = troubles(name="gpt4o-prod-v0513", upgrade=upgrade)
    assert set(found) == {trouble, "retiring"}
    if upgrade != "SomethingNew":
        assert "to gpt-4o 2024-11-20" in found[trouble]


def test_what_azure_never_upgrades_is_unpinned_all_the_same() -> None:
    assert "not upgraded by Azure" in troubles(name="x", sku="ProvisionedManaged")["unpinned"]


def test_retirement_is_told_with_the_days_that_are_left() -> None:
    assert troubles(name="gpt4o-prod-v0513", upgrade="NoAutoUpgrade") == {"retiring": "retires on 2026-12-07, in 19 days"}
    assert troubles(name="gpt4-prod-v0314", model=GONE, upgrade="NoAutoUpgrade") == {"retired": "gpt-4 0314 is retired since 2026-08-10"}


def test_a_plain_name_a_pause_and_an_unfinished_write_are_told() -> None:
    found = troubles(name="gpt-4o", paused=True, state="Creating", upgrade="NoAutoUpgrade")
    assert {"misnamed", "paused", "not-ready"} <= set(found)
