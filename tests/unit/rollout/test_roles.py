"""Who may do what, and who may approve."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.rollout.role import Role, approval_refusal, approving_role, may_approve

ROLES = st.sampled_from(list(Role))
STEPS = st.lists(st.sampled_from(["operator", "owner"]), min_size=1, max_size=2, unique=True)


@given(ROLES, ROLES)
def test_a_role_may_do_all_that_a_lesser_one_may(role: Role, least: Role) -> None:
    assert role.covers(least) == (["viewer", "operator", "owner"].index(role) >= ["viewer", "operator", "owner"].index(least))


@pytest.mark.parametrize(
    ("step", "role", "by"),
    [
        (["owner"], Role.OWNER, Role.OWNER),
        (["owner"], Role.OPERATOR, None),
        (["operator"], Role.OWNER, Role.OPERATOR),
        (["operator", "owner"], Role.OWNER, Role.OWNER),
        (["operator", "owner"], Role.OPERATOR, Role.OPERATOR),
        (["operator", "owner"], Role.VIEWER, None),
        ([], Role.OWNER, None),
    ],
)
def test_somebody_approves_by_the_highest_of_the_steps_roles_that_theirs_covers(step: list[str], role: Role, by: Role | None) -> None:
    assert approving_role(step, role) is by


@given(STEPS, ROLES, st.sampled_from(["anna", "bo"]), st.sampled_from(["anna", ""]), st.booleans())
def test_why_not_is_said_exactly_where_it_is_not_allowed(step: list[str], role: Role, actor: str, starter: str, four_eyes: bool) -> None:
    allowed = may_approve(step, role, actor=actor, starter=starter, four_eyes=four_eyes)
    assert allowed == (approval_refusal(step, role, actor=actor, starter=starter, four_eyes=four_eyes) is None)


def test_with_four_eyes_nobody_approves_what_they_started() -> None:
    assert may_approve(["owner"], Role.OWNER, actor="anna (owner)", starter="anna (owner)", four_eyes=False)
    assert not may_approve(["owner"], Role.OWNER, actor="anna (owner)", starter="anna (owner)", four_eyes=True)
    assert may_approve(["owner"], Role.OWNER, actor="bo (owner)", starter="anna (owner)", four_eyes=True)


def test_a_refusal_says_which_role_was_found_and_which_is_needed() -> None:
    found = approval_refusal(["owner"], Role.OPERATOR, actor="bo (operator)", starter="anna", four_eyes=False)
    assert found == ("bo (operator) has the role operator, this step needs owner", "Ask somebody who has it: owner")
