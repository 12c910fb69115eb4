"""The control plane's tokens as everybody but their holder knows them: by their hash. Decides nothing."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from changeover.rollout.role import Role

SECRET_PREFIX: Final = "ct-"
SECRET_CHARACTERS: Final = 43
"""After the prefix: 32 random bytes in URL-safe base64 without padding."""
DEAD_KEPT: Final = 200
"""Tokens that open nothing any more are kept for those who look back, the latest ones only."""

_SECRET: Final = re.compile(rf"{SECRET_PREFIX}[A-Za-z0-9_-]{{{SECRET_CHARACTERS}}}")


class TokenStanding(StrEnum):
    """Whether a token opens the door at a moment."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


class TokenEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One token. ``name`` is who holds it, ``tasks`` all it may change (empty: every task); it may look at everything."""

    id: str
    name: str
    hash: str
    role: Role
    created_at: float
    created_by: str = ""
    tasks: tuple[str, ...] = ()
    expires_at: float | None = None
    revoked_at: float | None = None

    def standing(self, now: float) -> TokenStanding:
        """How it stands at ``now`` (Unix seconds). A revoked one stays revoked, whatever the clock says."""
        if self.revoked_at is not None:
            return TokenStanding.REVOKED
        if self.expires_at is not None and now >= self.expires_at:
            return TokenStanding.EXPIRED
        return TokenStanding.GOOD

    @property
    def actor(self) -> str:
        """Who it is in the log of events."""
        return f"{self.name} ({self.role})"


def is_token(text: str) -> bool:
    """Whether ``text`` has the form of a token that we made. No other form is one, so no weak one can exist."""
    return _SECRET.fullmatch(text) is not None


def with_token(tokens: Mapping[str, TokenEntry], token: TokenEntry) -> dict[str, TokenEntry]:
    """``tokens`` with one more; the oldest dead ones above ``DEAD_KEPT`` are forgotten."""
    after = {**tokens, token.id: token}
    dead = sorted((each for each in after.values() if not is_live(each, token.created_at)), key=lambda each: (_ended_at(each), each.id))
    gone = {each.id for each in dead[:-DEAD_KEPT]}
    return {name: each for name, each in after.items() if name not in gone}


def without_token(tokens: Mapping[str, TokenEntry], token_id: str, *, at: float) -> dict[str, TokenEntry]:
    """``tokens`` with that one revoked."""
    return {**tokens, token_id: msgspec.structs.replace(tokens[token_id], revoked_at=at)}


def is_live(token: TokenEntry, now: float) -> bool:
    return token.standing(now) is TokenStanding.GOOD


def _ended_at(token: TokenEntry) -> float:
    return min((at for at in (token.revoked_at, token.expires_at) if at is not None), default=float("inf"))
