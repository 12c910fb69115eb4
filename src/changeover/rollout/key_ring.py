"""The keys that the world holds: one more, one replaced, one revoked. Decides nothing."""

from collections.abc import Mapping
from typing import Final

import msgspec

from changeover.traffic.keys import KeyEntry

DEAD_KEPT: Final = 200
"""Keys that open nothing any more are kept for those who look back, the latest ones only."""


def with_key(
    keys: Mapping[str, KeyEntry], key: KeyEntry, *, replaces: str | None, replaced_expires_at: float | None
) -> dict[str, KeyEntry]:
    """``keys`` with one more. The key that it replaces ends at ``replaced_expires_at``, or sooner if it would have."""
    after = {**keys, key.id: key}
    before = keys.get(replaces or "")
    if before is not None and replaced_expires_at is not None:
        ends = replaced_expires_at if before.expires_at is None else min(before.expires_at, replaced_expires_at)
        after[before.id] = msgspec.structs.replace(before, expires_at=ends)
    return _pruned(after, now=key.created_at)


def with_revoked(keys: Mapping[str, KeyEntry], key_id: str, *, at: float) -> dict[str, KeyEntry]:
    """``keys`` with that one revoked."""
    return {**keys, key_id: msgspec.structs.replace(keys[key_id], revoked_at=at)}


def live_keys(keys: Mapping[str, KeyEntry], now: float) -> list[KeyEntry]:
    """Those that open the door at ``now``, or will."""
    return [key for key in keys.values() if _ended_at(key) > now]


def _pruned(keys: dict[str, KeyEntry], *, now: float) -> dict[str, KeyEntry]:
    dead = sorted((key for key in keys.values() if _ended_at(key) <= now), key=lambda key: (_ended_at(key), key.id))
    gone = {key.id for key in dead[:-DEAD_KEPT]}
    return {name: key for name, key in keys.items() if name not in gone}


def _ended_at(key: KeyEntry) -> float:
    ends = [at for at in (key.revoked_at, key.expires_at) if at is not None]
    return min(ends, default=float("inf"))
