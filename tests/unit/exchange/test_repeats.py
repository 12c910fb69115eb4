"""An SDK's second try finds the unit of its first."""

import msgspec
import pytest

from changeover.exchange.observation import Observation, Outcome
from changeover.exchange.repeats import REMEMBERED_MAX, REMEMBERED_S, RETRY_HEADER, Repeats, is_repeat, may_be_repeated
from changeover.traffic.table import Side

SDK = {RETRY_HEADER: b"0"}
FAILED = Observation(
    request_id="r1", started_at=1.0, outcome=Outcome.FAILED, revision=1, latency_ms=1.0, task="mail", side=Side.STABLE, status=500
)


def failed(repeats: Repeats, unit: str = "r1", *, task: str = "mail", key: str | None = None, body: bytes = b"{}", at: float = 0.0) -> None:
    repeats.failed(task, key, body, unit=unit, at=at)


def test_the_same_request_within_a_minute_has_the_unit_of_its_first_try() -> None:
    repeats = Repeats()
    failed(repeats, at=5.0)
    assert repeats.unit_of("mail", None, b"{}", at=5.0 + REMEMBERED_S) == "r1"


def test_later_it_is_a_request_of_its_own() -> None:
    repeats = Repeats()
    failed(repeats, at=5.0)
    assert repeats.unit_of("mail", None, b"{}", at=5.1 + REMEMBERED_S) is None


def test_a_first_try_is_found_once() -> None:
    repeats = Repeats()
    failed(repeats)
    assert repeats.unit_of("mail", None, b"{}", at=0.0) == "r1"
    assert repeats.unit_of("mail", None, b"{}", at=0.0) is None
    failed(repeats)  # the second try failed too
    assert repeats.unit_of("mail", None, b"{}", at=0.0) == "r1"


@pytest.mark.parametrize(
    ("task", "key", "body"), [("other", None, b"{}"), ("mail", "k", b"{}"), ("mail", None, b"{ }"), ("mail", "", b"x")]
)
def test_another_task_key_or_body_is_another_request(task: str, key: str | None, body: bytes) -> None:
    repeats = Repeats()
    failed(repeats)
    assert repeats.unit_of(task, key, body, at=0.0) is None


def test_only_so_many_are_remembered_and_the_newest() -> None:
    repeats = Repeats()
    for number in range(REMEMBERED_MAX + 1):
        failed(repeats, str(number), body=b"%d" % number)
    assert repeats.unit_of("mail", None, b"0", at=0.0) is None
    assert repeats.unit_of("mail", None, b"1", at=0.0) == "1"
    failed(repeats, at=1.0 + REMEMBERED_S)
    assert len(repeats._units) == 1, "what is too old takes no room"


@pytest.mark.parametrize(("headers", "wanted"), [({}, False), (SDK, False), ({RETRY_HEADER: b"1"}, True), ({RETRY_HEADER: b"2"}, True)])
def test_the_sdk_says_whether_it_repeats(headers: dict[bytes, bytes], wanted: bool) -> None:
    assert is_repeat(headers) is wanted


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"status": 429}, True),
        ({"status": 409, "outcome": Outcome.REJECTED}, True),
        ({"status": None, "outcome": Outcome.ABANDONED}, True),
        ({"status": 200, "outcome": Outcome.LEFT}, True),
        ({"status": 200, "outcome": Outcome.LEFT, "streamed": True}, False),
        ({"status": 400, "outcome": Outcome.REJECTED}, False),
        ({"status": 200, "streamed": True}, False),
        ({"sticky": True}, False),
        ({"forced": True}, False),
        ({"side": None}, False),
    ],
)
def test_what_an_sdk_sends_again_is_remembered(changes: dict[str, object], wanted: bool) -> None:
    assert may_be_repeated(SDK, msgspec.structs.replace(FAILED, **changes)) is wanted


def test_who_is_no_such_sdk_is_not_remembered() -> None:
    assert not may_be_repeated({}, FAILED)
