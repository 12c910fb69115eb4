"""Which parts of an answer are read? The shape in which its JSON is decoded; what it means is said in ``reply``."""

from typing import Final

import msgspec

ABSENT: Final = msgspec.Raw(b"")
"""A part that is not there. (A union with ``None`` would not take any value.)"""


class Choice(msgspec.Struct, kw_only=True):
    """One choice of a whole answer or of a stream's chunk. ``text`` is the legacy completions' content."""

    finish_reason: str | None = None
    delta: msgspec.Raw = ABSENT
    text: str | None = None
    content_filter_results: msgspec.Raw = ABSENT


class TokenDetails(msgspec.Struct, kw_only=True):
    """What a count of tokens consists of."""

    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class RawUsage(msgspec.Struct, kw_only=True):
    """Chat, completions and embeddings count prompt and completion; responses and images the same as input and output."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: TokenDetails | None = None
    completion_tokens_details: TokenDetails | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: TokenDetails | None = None
    output_tokens_details: TokenDetails | None = None


class Incomplete(msgspec.Struct, kw_only=True):
    """Why a response is not complete."""

    reason: str | None = None


class Document(msgspec.Struct, kw_only=True):
    """The parts of an answer, or of one chunk of it, that are read; all else is skipped. ``id`` to ``content_filters`` are
    a response's.
    """

    model: str | None = None
    system_fingerprint: str | None = None
    choices: list[Choice] | None = None
    usage: RawUsage | None = None
    prompt_filter_results: msgspec.Raw = ABSENT
    error: msgspec.Raw = ABSENT
    object: str | None = None
    id: str | None = None
    status: str | None = None
    incomplete_details: Incomplete | None = None
    content_filters: msgspec.Raw = ABSENT
