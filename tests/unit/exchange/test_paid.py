"""What all attempts at one request used."""

from hypothesis import given
from hypothesis import strategies as st

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Observation, Outcome, Spent, Tokens
from changeover.exchange.paid import paid
from changeover.traffic.table import Route, Side
from changeover.wire.reply import NO_FACTS, ReplyFacts, Usage

ROUTE = Route(task="mail", stable="old", candidate="new", candidate_permille=1000, attempt=3, salt="pepper")
VAIN = ReplyFacts(tokens=Usage(prompt=9, completion=2, cached=1))
GOOD = ReplyFacts(tokens=Usage(prompt=7, completion=5))


def trip(*vain: tuple[str, ReplyFacts], served: str | None, facts: ReplyFacts) -> Observation:
    journey = Journey("r1", started_at=1.0, at=0.0, revision=1)
    journey.route("mail", ROUTE, None)
    for name, said in vain:
        journey.spend(name, said)
    seen = journey.finish(1.0, Outcome.FAILED if served is None else Outcome.ANSWERED, served=served, facts=facts)
    assert seen is not None
    return seen


def test_a_candidates_attempt_in_vain_is_paid_on_its_side_whoever_then_served() -> None:
    seen = trip(("new", VAIN), served="old", facts=GOOD)
    assert (seen.side, seen.served, seen.tokens) == (Side.CANDIDATE, "old", Tokens(prompt=16, completion=7, cached=1))
    assert seen.spent == (
        Spent(deployment="new", tokens=Tokens(prompt=9, completion=2, cached=1)),
        Spent(deployment="old", tokens=Tokens(prompt=7, completion=5)),
    )


def test_an_attempt_that_says_nothing_adds_nothing() -> None:
    seen = trip(("new", NO_FACTS), served="old", facts=GOOD)
    assert (seen.tokens, seen.spent) == (Tokens(prompt=7, completion=5), ())


def test_without_an_answer_what_was_used_in_vain_is_all_there_is() -> None:
    seen = trip(("new", VAIN), ("old", VAIN), served=None, facts=NO_FACTS)
    assert (seen.tokens, [each.deployment for each in seen.spent]) == (Tokens(prompt=18, completion=4, cached=2), ["new", "old"])


def test_an_answer_without_usage_keeps_the_whole_unknown() -> None:
    seen = trip(("new", VAIN), served="old", facts=NO_FACTS)
    assert (seen.tokens, [each.deployment for each in seen.spent]) == (None, ["new"])


def test_a_count_that_the_answer_does_not_say_stays_unknown() -> None:
    seen = trip(("new", VAIN), served="old", facts=ReplyFacts(tokens=Usage(prompt=7)))
    assert seen.tokens == Tokens(prompt=16, completion=None, cached=1)


COUNTS = st.none() | st.integers(0, 10**9)
TOKENS = st.builds(Tokens, prompt=COUNTS, completion=COUNTS, cached=COUNTS, reasoning=COUNTS, written=COUNTS, written_1h=COUNTS)


@given(st.lists(TOKENS, min_size=1, max_size=5), TOKENS)
def test_a_total_is_the_sum_of_what_is_told_and_never_less_than_the_answers_own(vain: list[Tokens], answer: Tokens) -> None:
    total, spent = paid("old", answer, tuple(Spent(deployment="new", tokens=each) for each in vain))
    assert total is not None
    assert [each.tokens for each in spent] == [*vain, answer]
    for field in ("prompt", "completion"):
        own = getattr(answer, field)
        told = [getattr(each, field) for each in vain if getattr(each, field) is not None]
        assert getattr(total, field) == (None if own is None else own + sum(told))
