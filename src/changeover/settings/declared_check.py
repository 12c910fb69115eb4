"""What the file says about its own check: levels of rules, and findings that are known and silenced for a while."""

from typing import Literal

import msgspec

Environment = Literal["prod", "dev"]
Level = Literal["off", "warn", "error"]


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, by its rule and path, that is not told of until ``until_at`` (Unix seconds). Without a reason and a date it
    silences nothing.
    """

    rule: str
    at: str
    reason: str = ""
    until_at: float | None = None

    def is_in_force(self, *, now: float) -> bool:
        return bool(self.reason) and self.until_at is not None and now < self.until_at


class DeclaredCheck(msgspec.Struct, frozen=True, kw_only=True):
    """``levels`` by rule and environment, only where the file says so."""

    levels: dict[str, dict[Environment, Level]] = {}
    silences: tuple[Silence, ...] = ()
