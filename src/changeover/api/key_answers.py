"""What the calls about keys answer with. The command line decodes the same shapes; fields are only ever added."""

import msgspec

from changeover.traffic.keys import Standing


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key as everybody may know it. Times are Unix seconds; no ``tasks`` means all of them."""

    id: str
    name: str
    tasks: tuple[str, ...]
    default_task: str | None
    standing: Standing
    created_at: float
    not_before_at: float | None
    expires_at: float | None
    revoked_at: float | None


class KeysAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. ``required``: callers without a key are refused."""

    required: bool
    now: float
    keys: tuple[KeyView, ...]


class KeyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command made of a key."""

    revision: int
    key: KeyView


class MintedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A new key with its secret, which is never told again. ``replaces`` is the id of the key it takes the place of."""

    revision: int
    key: KeyView
    replaces: str | None
    secret: str
