"""Both parsers beside h11, however the bytes are cut: nothing is served, handed on or kept that another reads otherwise."""

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.fuzz import answering, asking
from tests.fuzz.seeds import ANSWERS, REPLY_PARTS, REQUEST_PARTS, REQUESTS

CUTS = st.lists(st.integers(1, 400), max_size=8)


def mixed(parts: list[bytes], seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """Parts in any order, whole seeds among them; and seeds with something put in, taken out or changed."""
    row = st.lists(st.sampled_from(parts) | st.sampled_from(seeds) | st.binary(max_size=3), max_size=14).map(b"".join)
    return row | st.builds(
        altered, st.sampled_from(seeds), st.integers(0, 400), st.integers(0, 12), st.sampled_from(parts) | st.binary(max_size=3)
    )


def altered(seed: bytes, at: int, gone: int, put: bytes) -> bytes:
    return seed[:at] + put + seed[at + gone :]


@pytest.mark.parametrize("data", REQUESTS)
def test_a_request_is_read_alike_in_every_cut_in_two_and_in_single_bytes(data: bytes) -> None:
    whole = asking.check(data, range(1, len(data)))
    for at in range(1, len(data)):
        assert asking.ours(asking.pieces_of(data, [at])) == whole


@pytest.mark.parametrize("data", ANSWERS)
@pytest.mark.parametrize("head_only", [False, True])
def test_a_reply_is_read_alike_in_every_cut_in_two_and_in_single_bytes(data: bytes, head_only: bool) -> None:
    whole = answering.check(data, range(1, len(data)), head_only=head_only)
    for at in range(1, len(data)):
        cut = answering.ours(asking.pieces_of(data, [at]), head_only=head_only)
        assert (cut.whole, cut.fault) == (whole.whole, whole.fault)
        assert not whole.whole or cut.body == whole.body


@given(data=mixed(REQUEST_PARTS, REQUESTS), cuts=CUTS)
def test_what_is_served_is_what_h11_reads(data: bytes, cuts: list[int]) -> None:
    heard = asking.check(data, cuts)
    event(f"{min(3, len(heard.asked))} requests, {'refused' if any(asked.refusal for asked in heard.asked) else 'none refused'}")


@given(data=mixed(REPLY_PARTS, ANSWERS), cuts=CUTS, head_only=st.booleans())
def test_what_is_handed_on_is_what_h11_reads(data: bytes, cuts: list[int], head_only: bool) -> None:
    reply = answering.check(data, cuts, head_only=head_only)
    event("whole" if reply.whole else reply.fault)


@given(data=st.sampled_from(ANSWERS), at=st.integers(0, 400), head_only=st.booleans())
def test_a_reply_that_is_cut_off_is_whole_only_where_h11_says_so(data: bytes, at: int, head_only: bool) -> None:
    answering.check(data[:at], [at // 2], head_only=head_only)
