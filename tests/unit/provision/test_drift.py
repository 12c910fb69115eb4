"""In what Azure is not as declared."""

import pytest

from changeover.provision.drift import cloud_drifts
from changeover.versions import Deployment
from tests.unit.provision.clouds import NEW, OLD, known, there, wanted

PINNED = "NoAutoUpgrade"


def drifts(declared: Deployment, **actual: object) -> list[tuple[str, str]]:
    found = cloud_drifts({"chat": declared}, known(there("chat", **({"model": OLD, "upgrade": PINNED} | actual))))  # type: ignore[arg-type]
    return [(each.kind, each.found) for each in found]


def test_what_is_as_declared_has_no_drift() -> None:
    assert drifts(wanted("chat", capacity=50, sku="standard")) == []


@pytest.mark.parametrize(
    ("declared", "actual", "kind", "found"),
    [
        (wanted("chat"), {"model": NEW}, "version", "Azure has gpt-4o 2024-11-20, declared is gpt-4o 2024-05-13"),
        (wanted("chat"), {"upgrade": None}, "unpinned", "its upgrade option is not said, declared is NoAutoUpgrade"),
        (
            wanted("chat", upgrade="OnceCurrentVersionExpired"),
            {},
            "setting",
            "its upgrade option is NoAutoUpgrade, declared is OnceCurrentVersionExpired",
        ),
        (wanted("chat", sku="GlobalStandard"), {}, "setting", "it is sold as Standard, declared is GlobalStandard"),
        (wanted("chat", capacity=20), {}, "setting", "its capacity is 50 = 50,000 TPM, declared is 20 = 20,000 TPM"),
        (wanted("chat", content_filter="strict"), {}, "setting", "its content filter is not said, declared is strict"),
        (wanted("chat"), {"paused": True}, "paused", "it is paused: callers get 423"),
        (wanted("chat"), {"state": "Failed"}, "unfinished", "its state is Failed"),
    ],
)
def test_every_difference_is_told(declared: Deployment, actual: dict[str, object], kind: str, found: str) -> None:
    assert drifts(declared, **actual) == [(kind, found)]


def test_what_is_missing_and_what_no_file_speaks_of_are_told() -> None:
    found = cloud_drifts({"a": wanted("a")}, known(there("b")))
    assert [(each.deployment, each.kind) for each in found] == [("a", "missing"), ("b", "undeclared")]


def test_of_what_is_observed_its_keeper_is_to_be_told() -> None:
    (found,) = cloud_drifts({"chat": wanted("chat", observed=True)}, known(there("chat")))
    assert "whoever keeps it" in found.remedy
