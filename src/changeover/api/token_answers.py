"""What the calls about tokens answer with. The command line decodes the same shapes; fields are only ever added."""

import msgspec

from changeover.rollout.role import Role
from changeover.rollout.token_ring import TokenStanding


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token as everybody may know it. Times are Unix seconds; no ``tasks`` means all of them."""

    id: str
    name: str
    role: Role
    tasks: tuple[str, ...]
    standing: TokenStanding
    created_at: float
    created_by: str
    expires_at: float | None
    revoked_at: float | None


class TokensAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first."""

    now: float
    tokens: tuple[TokenView, ...]


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command made of a token."""

    revision: int
    token: TokenView


class NewTokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A new token with its secret, which is never told again."""

    revision: int
    token: TokenView
    secret: str
