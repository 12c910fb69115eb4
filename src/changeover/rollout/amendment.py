"""In what does the file differ from the store, and what comes of it? One place of the file, as people read it."""

from typing import Literal

import msgspec

Effect = Literal["new", "changed", "removed", "kept", "refused"]


class Amendment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``path`` is where it stands in the file; ``before`` and ``after`` are what the store holds and the file says, as text.

    ``kept``: the store stays as it is, and needs to be told otherwise. ``refused``: it cannot be done as things stand. ``note``
    says why, and what to do, or what else the change means.
    """

    path: str
    effect: Effect
    before: str | None = None
    after: str | None = None
    note: str = ""

    @property
    def is_change(self) -> bool:
        """Whether applying it changes the store."""
        return self.effect in ("new", "changed", "removed")
