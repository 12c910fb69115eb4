"""Who may do what? Three roles, each of which may do all that the one before may."""

from collections.abc import Collection
from enum import StrEnum


class Role(StrEnum):
    """VIEWER reads. OPERATOR starts, pauses, resumes, splits, scores and rolls back. OWNER decides what the team has to
    answer for: overrides, promotions, what the file declares, keys and tokens.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def covers(self, least: "Role") -> bool:
        """Whether this role may do what ``least`` is needed for."""
        return self.rank >= least.rank


def approving_role(roles: Collection[str], role: Role) -> Role | None:
    """By which of a step's ``roles`` somebody with ``role`` may approve it: the highest that ``role`` covers, or none."""
    return max((each for each in Role if each in roles and role.covers(each)), key=lambda each: each.rank, default=None)


def may_approve(roles: Collection[str], role: Role, *, actor: str, starter: str, four_eyes: bool) -> bool:
    """Whether ``actor``, who has ``role``, may approve a step of ``roles`` in a rollout that ``starter`` began. With
    ``four_eyes`` nobody approves what they started; a rollout of which nobody knows who started it needs an approval by
    somebody all the same, and has it.
    """
    return approving_role(roles, role) is not None and not (four_eyes and actor == starter)


def approval_refusal(roles: Collection[str], role: Role, *, actor: str, starter: str, four_eyes: bool) -> tuple[str, str] | None:
    """Why ``may_approve`` says no, as what was found and what to do; ``None`` where it says yes."""
    if may_approve(roles, role, actor=actor, starter=starter, four_eyes=four_eyes):
        return None
    needed = " or ".join(roles)
    if approving_role(roles, role) is None:
        return f"{actor} has the role {role}, this step needs {needed}", f"Ask somebody who has it: {needed}"
    return f"{actor} started this rollout, and policy.four_eyes asks for somebody else", f"Ask another {needed} to approve it"
