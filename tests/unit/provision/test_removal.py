"""What may be deleted, and what stays."""

import pytest

from changeover.provision.plan import Refused, Step
from changeover.provision.removal import Uses, pausing, removal
from tests.unit.provision.clouds import ACCOUNT, NOW, there


def test_what_nobody_uses_may_go_and_says_what_that_frees() -> None:
    step = removal(ACCOUNT.key, there("old"), Uses(retained_until=NOW), now=NOW)
    assert isinstance(step, Step)
    assert (step.act, step.note) == ("delete", "frees 50 = 50,000 TPM of Standard gpt-4o")


@pytest.mark.parametrize(
    ("uses", "found"),
    [
        (Uses(tasks=("email",)), "task email names it"),
        (Uses(rollouts=("r1",), tasks=("email",)), "rollout r1 has it on one of its sides"),
        (Uses(planes=("p1", "p2")), "data plane p1, p2 may still call it"),
        (Uses(promotions=("r0",)), "it is the way back of rollout r0"),
        (Uses(retained_until=NOW + 1), "it is kept as a way back until 2026-11-18"),
        (None, "nobody could say whether it is used"),
    ],
)
def test_what_may_still_be_needed_stays(uses: Uses | None, found: str) -> None:
    for refused in (removal(ACCOUNT.key, there("old"), uses, now=NOW), pausing(ACCOUNT.key, there("old"), uses, now=NOW)):
        assert isinstance(refused, Refused)
        assert refused.found == found
        assert refused.remedy


def test_what_can_be_paused_is_paused_before_it_is_deleted() -> None:
    step = pausing(ACCOUNT.key, there("old"), Uses(), now=NOW)
    assert isinstance(step, Step)
    assert step.act == "pause"
    assert pausing(ACCOUNT.key, there("old", paused=True), Uses(), now=NOW) is None
    assert isinstance(pausing(ACCOUNT.key, there("old", sku="ProvisionedManaged"), Uses(), now=NOW), Refused)
