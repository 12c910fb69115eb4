"""When a saved plan is stale."""

import msgspec
import pytest

from changeover.provision.actual import ActualDeployment
from changeover.provision.saved import SavedPlan, moved_since, saved_plan
from tests.unit.provision.clouds import NEW, known, planned, there, wanted

FOUND = known(there("chat"))
SAVED = saved_plan(planned([wanted("chat"), wanted("new", NEW, sku="Standard", capacity=1)], FOUND), FOUND)
PINNED = there("chat", upgrade="NoAutoUpgrade")


def test_a_saved_plan_is_read_as_it_was_written() -> None:
    assert msgspec.json.decode(msgspec.json.encode(SAVED), type=SavedPlan) == SAVED
    assert SAVED.seen == (there("chat"), None)


@pytest.mark.parametrize(
    ("present", "moved"),
    [
        ((there("chat"), None), []),
        ((PINNED, None), []),
        ((there("chat", capacity=9), None), ["chat"]),
        ((None, None), ["chat"]),
        ((there("chat"), there("new")), ["new"]),
        ((there("chat"), there("new", NEW, capacity=1, upgrade="NoAutoUpgrade")), []),
    ],
)
def test_it_is_stale_where_something_else_happened_and_not_where_it_was_done(
    present: tuple[ActualDeployment | None, ...], moved: list[str]
) -> None:
    assert [step.deployment for step in moved_since(SAVED, present)] == moved
