"""A request's slice is the short word its caller sent, where the task asks for one."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.exchange.slice_label import LABEL_CHARACTERS_MAX, NO_LABEL, find_slice

SLICE_BY = ("header:X-Language", "metadata:tenant")


def fields(**values: object) -> dict[str, msgspec.Raw]:
    return {name: msgspec.Raw(json.dumps(value).encode()) for name, value in values.items()}


def test_the_first_source_that_is_there_names_it() -> None:
    assert find_slice({b"x-language": b" de "}, fields(metadata={"tenant": "acme"}), SLICE_BY) == "de"
    assert find_slice({}, fields(metadata={"tenant": "acme", "other": 3}), SLICE_BY) == "acme"
    assert find_slice({b"x-language": b""}, fields(metadata={"tenant": "acme"}), SLICE_BY) == "acme"


@pytest.mark.parametrize("metadata", [None, "acme", ["acme"], {}, {"tenant": 3}, {"tenant": None}, {"tenant": " "}])
def test_who_does_not_say_is_a_slice_of_its_own(metadata: object) -> None:
    assert find_slice({}, fields(metadata=metadata), SLICE_BY) == NO_LABEL
    assert find_slice({b"x-region": b"eu"}, {}, SLICE_BY) == NO_LABEL


def test_a_label_is_short_and_printable_whatever_was_sent() -> None:
    assert find_slice({b"x-language": b"x" * 500}, {}, SLICE_BY) == "x" * LABEL_CHARACTERS_MAX
    assert find_slice({b"x-language": b"a\x1b[31m\xffb"}, {}, SLICE_BY) == "a?[31m\N{REPLACEMENT CHARACTER}b"


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_no_bytes_at_all_fail_a_request(header: bytes, metadata: bytes) -> None:
    label = find_slice({b"x-language": header}, {"metadata": msgspec.Raw(metadata)}, SLICE_BY)
    assert 0 < len(label) <= LABEL_CHARACTERS_MAX
    assert label.isprintable()
