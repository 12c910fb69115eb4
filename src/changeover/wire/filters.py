"""What did the content filter see, on which side, and did it act? Reads Azure's annotations wherever they stand."""

from collections.abc import Iterator
from typing import Final

import msgspec

from changeover.wire.filter_event import FilterEvent, FilterSide, Finding

EVENTS_MAX: Final = 32
"""More filter events of one answer are not kept."""
_TEXT_CHARS_MAX: Final = 64

_ABSENT: Final = msgspec.Raw(b"")
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


_FINDING: Final = msgspec.json.Decoder(Finding)


def is_quiet(results: msgspec.Raw | bytes) -> bool:
    """Whether these annotations, as nearly all, say "false" and "safe" throughout: a look that costs less than reading."""
    results = bytes(results)
    return b"true" not in results and results.count(b'"severity"') == results.count(b'"safe"')


def filter_events(results: msgspec.Raw | bytes, side: FilterSide) -> Iterator[FilterEvent]:
    """The events in one object of results by category. Never raises: what cannot be read is no event."""
    if is_quiet(results):
        return
    for category, raw in read_fields(results).items():
        finding = _finding(raw)
        if finding.filtered or finding.detected or finding.severity not in (None, "safe"):
            yield FilterEvent(
                side=side,
                category=category.replace("-", "_")[:_TEXT_CHARS_MAX],
                severity=None if finding.severity is None else finding.severity[:_TEXT_CHARS_MAX],
                filtered=bool(finding.filtered),
                detected=finding.detected,
            )


def prompt_events(results: msgspec.Raw | bytes) -> Iterator[FilterEvent]:
    """The events in ``prompt_filter_results``: a list with one object a prompt, which holds its ``content_filter_results``."""
    if is_quiet(results):
        return
    for item in read_items(results):
        yield from filter_events(read_fields(item).get("content_filter_results", _ABSENT), "prompt")


def responses_events(results: msgspec.Raw | bytes) -> Iterator[FilterEvent]:
    """The events in a response's ``content_filters``: a list whose entries say by ``source_type`` which side they are of."""
    if is_quiet(results):
        return
    for item in read_items(results):
        entry = read_fields(item)
        side: FilterSide = "prompt" if bytes(entry.get("source_type", _ABSENT)) == b'"prompt"' else "completion"
        yield from filter_events(entry.get("content_filter_results", _ABSENT), side)


def error_events(error: msgspec.Raw | bytes) -> Iterator[FilterEvent]:
    """The events in an error of a filtered prompt: ``innererror.content_filter_result``, in either spelling, or beside it."""
    if is_quiet(error):
        return
    outer = read_fields(error)
    inner = read_fields(outer.get("innererror", _ABSENT))
    for holder in (inner, outer):
        for name in ("content_filter_result", "content_filter_results"):
            yield from filter_events(holder.get(name, _ABSENT), "prompt")


def merged(before: tuple[FilterEvent, ...], more: Iterator[FilterEvent]) -> tuple[FilterEvent, ...]:
    """``before`` and what is new in ``more``. A stream repeats the same annotation on many chunks."""
    found = dict.fromkeys(before)
    found.update(dict.fromkeys(more))
    return before if len(found) == len(before) else tuple(found)[:EVENTS_MAX]


def read_fields(raw: msgspec.Raw | bytes) -> dict[str, msgspec.Raw]:
    """The members of the JSON object in ``raw``; empty when it is anything else."""
    try:
        return _FIELDS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def read_items(raw: msgspec.Raw | bytes) -> list[msgspec.Raw]:
    """The entries of the JSON array in ``raw``; empty when it is anything else."""
    try:
        return _ITEMS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _finding(raw: msgspec.Raw) -> Finding:
    """What one category says; a list (blocklists by name) says what any of its entries does."""
    try:
        return _FINDING.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    entries = [read_fields(item) for item in read_items(raw)]
    return Finding(filtered=any(bytes(entry.get("filtered", _ABSENT)) == b"true" for entry in entries))
