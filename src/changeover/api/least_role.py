"""Which role does a call need at least? What is not named here needs the owner's."""

import re
from typing import Final

from changeover.rollout.role import Role

SCORES: Final = "/api/v1/scores"

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_VIEWER_POSTS: Final = re.compile(r"/api/v1/(plan|rollouts/preview)")
"""They change nothing: what is asked about is long, so it is sent."""
_OPERATOR: Final = re.compile(
    r"/api/v1/(rollouts"
    r"|rollouts/[^/]+/(pause|resume|approve|retry|rollback)"
    r"|tasks/[^/]+/(split|rollback|release|pause|resume|approve|retry)"
    r"|scores|alerts/test)"
)


def least_role(method: str, path: str) -> Role:
    """``approve`` is let through to whoever may approve at all; the step itself says which role it wants."""
    if method in _READING or _VIEWER_POSTS.fullmatch(path):
        return Role.VIEWER
    return Role.OPERATOR if method == "POST" and _OPERATOR.fullmatch(path) else Role.OWNER
