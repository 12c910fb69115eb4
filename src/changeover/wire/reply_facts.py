"""What did an answer say of itself? The record; who reads it stands in ``reply``."""

from typing import Final

import msgspec

from changeover.wire.filter_event import FilterEvent


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Tokens as the provider counted them; what it did not say is ``None``, never 0.

    ``cached`` and ``written`` are among the prompt's: read from the cache, and written to it where that is charged for;
    ``written_1h`` are those of ``written`` that stay for an hour.
    """

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None
    reasoning: int | None = None
    written: int | None = None
    written_1h: int | None = None


class ReplyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer of any surface says of itself.

    ``filtered``: a content filter acted on the prompt or the completion. ``False`` when the answer carries filter
    annotations or an end that is no filter's, ``None`` when it says nothing; ``filters`` is what the filter found, whether
    it acted or not. ``error`` is the code of an error body, or its type where there is no code. A response's end is its
    ``status``, or why it is incomplete; ``response_id`` is how a later request continues it.
    """

    model: str | None = None
    fingerprint: str | None = None
    finish_reason: str | None = None
    filtered: bool | None = None
    tokens: Usage | None = None
    error: str | None = None
    response_id: str | None = None
    filters: tuple[FilterEvent, ...] = ()


NO_FACTS: Final = ReplyFacts()
