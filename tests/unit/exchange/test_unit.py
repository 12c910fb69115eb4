"""A request's unit is found where the caller, or the task, says it is."""

import json

import msgspec
import pytest

from changeover.exchange.unit import UNIT_CHARACTERS_MAX, find_unit
from changeover.traffic.assignment import hash_unit, position_permille

STICKY_BY = ("header:X-Conversation-Id", "safety_identifier", "user")


def fields(**values: object) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}


def test_our_own_header_wins() -> None:
    headers = {b"x-changeover-unit": b"doc-1", b"x-conversation-id": b"talk-2"}
    assert find_unit(headers, fields(user="ann"), STICKY_BY) == "doc-1"


def test_then_the_first_source_that_is_there() -> None:
    assert find_unit({b"x-conversation-id": b"talk-2"}, fields(user="ann"), STICKY_BY) == "talk-2"
    assert find_unit({}, fields(user="ann", safety_identifier="s-3"), STICKY_BY) == "s-3"
    assert find_unit({}, fields(user="ann"), STICKY_BY) == "ann"


def test_only_declared_sources_are_read() -> None:
    assert find_unit({b"x-conversation-id": b"talk-2"}, fields(user="ann"), ()) is None


@pytest.mark.parametrize("value", ["", "  ", None, 7, ["ann"], {"id": "ann"}])
def test_what_is_no_text_is_no_unit(value: object) -> None:
    assert find_unit({b"x-changeover-unit": b" "}, fields(user=value), STICKY_BY) is None


def test_a_field_that_cannot_be_decoded_is_no_unit() -> None:
    assert find_unit({}, {"user": msgspec.Raw(b'"\xff"')}, STICKY_BY) is None


def test_a_header_and_a_field_of_the_same_text_are_the_same_unit() -> None:
    assert find_unit({b"x-changeover-unit": "Zoë".encode()}, {}, ()) == find_unit({}, fields(user="Zoë"), STICKY_BY) == "Zoë"


def test_header_bytes_that_are_no_text_are_distinct_units_that_can_be_assigned() -> None:
    units = {find_unit({b"x-changeover-unit": bytes([255, byte])}, {}, ()) for byte in range(128, 256)}
    assert len(units) == 128
    assert all(unit is not None and hash_unit("salt", unit) and position_permille("salt", unit) >= 0 for unit in units)


def test_an_overlong_unit_stays_one_unit_and_gets_short() -> None:
    longest, longer, other = "u" * UNIT_CHARACTERS_MAX, "u" * (UNIT_CHARACTERS_MAX + 1), "v" * (UNIT_CHARACTERS_MAX + 1)
    assert find_unit({}, fields(user=longest), STICKY_BY) == longest
    digest = find_unit({}, fields(user=longer), STICKY_BY)
    assert digest is not None
    assert len(digest) < 100
    assert find_unit({b"x-changeover-unit": longer.encode()}, {}, ()) == digest
    assert find_unit({}, fields(user=other), STICKY_BY) != digest
