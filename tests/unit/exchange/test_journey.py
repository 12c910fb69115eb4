"""One request, one observation: whole, timed and assigned, whatever became of it."""

import msgspec
import pytest

from changeover.exchange.journey import Journey, outcome_of
from changeover.exchange.observation import Observation, Outcome, Tokens
from changeover.traffic.assignment import assign, hash_unit
from changeover.traffic.table import Route, Side
from changeover.wire.filters import FilterEvent
from changeover.wire.reply import ReplyFacts, Usage
from changeover.wire.surface import Surface

ROUTE = Route(task="mail", stable="old", candidate="new", candidate_permille=250, attempt=3, salt="pepper")
FACTS = ReplyFacts(
    model="gpt-4o-2024-11-20", fingerprint="fp", finish_reason="stop", filtered=False, tokens=Usage(prompt=9, completion=3, cached=0)
)


def journey() -> Journey:
    return Journey("req-1", started_at=1_700_000_000.5, at=100.0, revision=7)


def test_an_answered_request_is_observed_whole() -> None:
    trip = journey()
    assignment = trip.route("mail", ROUTE, "ann")
    trip.attempts = 2
    trip.streamed = True
    trip.first_byte(100.25)
    trip.first_token(100.5)
    trip.first_byte(101.0)
    trip.first_token(101.0)
    seen = trip.finish(102.0, Outcome.ANSWERED, status=200, served=assignment.deployment, facts=FACTS)
    assert seen == Observation(
        request_id="req-1",
        started_at=1_700_000_000.5,
        outcome=Outcome.ANSWERED,
        revision=7,
        latency_ms=2000.0,
        task="mail",
        attempt=3,
        unit=hash_unit("pepper", "ann"),
        sticky=True,
        side=assign(ROUTE, "ann").side,
        candidate_probability=0.25,
        assigned=assign(ROUTE, "ann").deployment,
        served=assignment.deployment,
        served_model="gpt-4o-2024-11-20",
        fingerprint="fp",
        status=200,
        first_byte_ms=250.0,
        first_token_ms=500.0,
        streamed=True,
        finish_reason="stop",
        filtered=False,
        tokens=Tokens(prompt=9, completion=3, cached=0),
        attempts=2,
    )
    assert seen is not None
    assert not seen.is_error


def test_a_request_is_observed_once() -> None:
    trip = journey()
    assert trip.finish(101.0, Outcome.LEFT) is not None
    assert trip.finish(102.0, Outcome.ANSWERED, status=200) is None
    assert trip.refuse(103.0, status=400, error="late") is None
    assert trip.finished


def test_without_a_unit_the_request_is_the_unit() -> None:
    trip = journey()
    assert trip.route("mail", ROUTE, None).side is assign(ROUTE, "req-1").side
    seen = trip.finish(101.0, Outcome.FAILED)
    assert seen is not None
    assert (seen.sticky, seen.unit) == (False, hash_unit("pepper", "req-1"))


def test_the_raw_unit_is_never_in_the_observation() -> None:
    trip = journey()
    trip.route("mail", ROUTE, "ann@example.org")
    assert "ann@example" not in repr(trip.finish(101.0, Outcome.ANSWERED))


def test_a_refused_request_has_no_side() -> None:
    trip = journey()
    seen = trip.refuse(100.001, status=404, error="model_not_found")
    assert seen is not None
    assert (seen.outcome, seen.status, seen.error) == (Outcome.REFUSED, 404, "model_not_found")
    assert (seen.side, seen.task, seen.assigned, seen.unit, seen.tokens, seen.candidate_probability) == (None, None, None, "", None, 0.0)


def test_a_request_of_a_task_without_a_candidate_is_stable_with_probability_zero() -> None:
    trip = journey()
    assert trip.route("mail", Route(task="mail", stable="old"), "ann").side is Side.STABLE
    seen = trip.finish(101.0, Outcome.ANSWERED, served="old")
    assert seen is not None
    assert (seen.side, seen.candidate_probability, seen.assigned) == (Side.STABLE, 0.0, "old")


def test_what_the_answer_calls_its_error_is_kept_unless_we_know_better() -> None:
    limited = ReplyFacts(error="RateLimitReached")
    seen, told = (
        journey().finish(101.0, Outcome.FAILED, facts=limited),
        journey().finish(101.0, Outcome.FAILED, error="reset", facts=limited),
    )
    assert seen is not None
    assert told is not None
    assert (seen.error, told.error) == ("RateLimitReached", "reset")


@pytest.mark.parametrize(
    ("status", "facts", "outcome"),
    [
        (200, None, Outcome.ANSWERED),
        (204, None, Outcome.ANSWERED),
        (200, ReplyFacts(filtered=True), Outcome.ANSWERED),
        (400, ReplyFacts(filtered=True, error="content_filter"), Outcome.ANSWERED),
        (400, ReplyFacts(error="invalid_request_error"), Outcome.REJECTED),
        (400, None, Outcome.REJECTED),
        (401, None, Outcome.REJECTED),
        (404, None, Outcome.REJECTED),
        (410, None, Outcome.REJECTED),
        (404, ReplyFacts(filtered=True), Outcome.REJECTED),
        (408, None, Outcome.FAILED),
        (429, None, Outcome.FAILED),
        (500, None, Outcome.FAILED),
        (503, ReplyFacts(filtered=True), Outcome.FAILED),
        (302, None, Outcome.FAILED),
        (100, None, Outcome.FAILED),
        (200, ReplyFacts(error="server_error"), Outcome.FAILED),
        (200, ReplyFacts(error="content_filter", filtered=True), Outcome.ANSWERED),
    ],
)
def test_an_answers_status_decides_its_outcome(status: int, facts: ReplyFacts | None, outcome: Outcome) -> None:
    assert outcome_of(status, facts) is outcome


def test_the_surface_and_what_filters_found_are_observed_blocked_or_not() -> None:
    trip = journey()
    trip.surface = Surface.RESPONSES
    trip.route("mail", ROUTE, "ann")
    events = (FilterEvent(side="prompt", category="hate", severity="low"), FilterEvent(side="completion", category="hate", filtered=True))
    seen = trip.finish(101.0, Outcome.ANSWERED, facts=ReplyFacts(filters=events))
    assert seen is not None
    assert (seen.surface, seen.filters) == ("responses", events)
    stored = msgspec.json.decode(msgspec.json.encode(seen), type=Observation)
    assert stored == seen


def test_an_observation_from_before_surfaces_can_still_be_read() -> None:
    seen = journey().refuse(100.5, status=400, error="invalid_json")
    assert seen is not None
    assert b"surface" not in msgspec.json.encode(seen)
    assert b"filters" not in msgspec.json.encode(seen)
