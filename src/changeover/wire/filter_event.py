"""What did a content filter find? The record of one category, as it is kept and as it is read."""

from typing import Literal

import msgspec

FilterSide = Literal["prompt", "completion"]


class FilterEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One category that a content filter found something in.

    ``filtered``: it acted (blocked or cut off); else it only annotated. ``severity`` is ``low``, ``medium`` or ``high``
    where the category has one, ``detected`` is said by categories that have none.
    """

    side: FilterSide
    category: str
    severity: str | None = None
    filtered: bool = False
    detected: bool | None = None


class Finding(msgspec.Struct, kw_only=True):
    """What an annotation says of one category."""

    filtered: bool | None = None
    severity: str | None = None
    detected: bool | None = None
