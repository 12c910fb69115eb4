"""Who may call the gateway, and for which tasks? Keys as everybody but their holder knows them: by their hash."""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

SECRET_PREFIX: Final = "ck-"
SECRET_CHARACTERS: Final = 43
"""After the prefix: 32 random bytes in URL-safe base64 without padding."""

_SECRET: Final = re.compile(rf"{SECRET_PREFIX}[A-Za-z0-9_-]{{{SECRET_CHARACTERS}}}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Standing(StrEnum):
    """Whether a key opens the door at a moment."""

    GOOD = "good"
    EARLY = "early"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One gateway key. ``id`` names it everywhere; the secret is known to its holder alone.

    ``tasks`` is all it may call; empty means every task. ``default_task`` answers a request whose path names no task and
    whose ``model`` is none. It is good from ``not_before_at`` until before ``expires_at`` (Unix seconds), so that the next
    key can overlap with it.
    """

    id: str
    name: str
    hash: str
    created_at: float
    tasks: tuple[str, ...] = ()
    default_task: str | None = None
    not_before_at: float | None = None
    expires_at: float | None = None
    revoked_at: float | None = None

    def standing(self, now: float) -> Standing:
        """How the key stands at ``now`` (Unix seconds). A revoked key stays revoked, whatever the clock says."""
        if self.revoked_at is not None:
            return Standing.REVOKED
        if self.expires_at is not None and now >= self.expires_at:
            return Standing.EXPIRED
        if self.not_before_at is not None and now < self.not_before_at:
            return Standing.EARLY
        return Standing.GOOD


def is_secret(text: str) -> bool:
    """Whether ``text`` has the form of a key that we made. No other form is a key, so no weak one can exist."""
    return _SECRET.fullmatch(text) is not None


def hash_of(secret: bytes) -> str:
    """SHA-256 in hexadecimal. A secret of 256 random bits needs no salt and no slow hash: there is no list to try."""
    return hashlib.sha256(secret).hexdigest()


def key_faults(keys: Mapping[str, KeyEntry]) -> list[str]:
    """Every entry that could not have been made by us, as sentences; ``keys`` are by hash."""
    return [f"key {entry.id}: it is not filed under its own SHA-256" for filed, entry in keys.items() if not _is_filed(filed, entry)]


def _is_filed(filed: str, entry: KeyEntry) -> bool:
    return filed == entry.hash and _HASH.fullmatch(filed) is not None
