"""Who calls? What the entrance has found out, for everybody behind it."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.types import Scope

from changeover.rollout.role import Role
from changeover.rollout.token_ring import TokenEntry

_KEY: Final = "caller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """``token`` is ``None`` for whoever owns the state directory, by its socket or by the token that lies in it: they may do
    everything, and their name is what they say it is.
    """

    token: TokenEntry | None = None

    @property
    def role(self) -> Role:
        return Role.OWNER if self.token is None else self.token.role

    @property
    def name(self) -> str | None:
        """Who stands in the log; ``None``: as they say themselves."""
        return None if self.token is None else self.token.actor

    @property
    def tasks(self) -> tuple[str, ...]:
        """All it may change; empty for every task."""
        return () if self.token is None else self.token.tasks


OWNER: Final = Caller()


def note_caller(scope: Scope, caller: Caller) -> None:
    """Leave word for the handlers."""
    scope.setdefault("state", {})[_KEY] = caller


def caller_of(request: Request) -> Caller:
    """Who makes this call."""
    found = getattr(request.state, _KEY, OWNER)
    assert isinstance(found, Caller)
    return found
