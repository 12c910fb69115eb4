"""Several callers, unruly providers, one gateway: nobody hears what is meant for another, and every request counts once."""

from collections import Counter
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.exchange.observation import Outcome
from tests.fuzz import crowd

STEPS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 2, 2, 3, 4, 4, 5, 6, 7]), st.integers(0, 255)), max_size=60)


def written(steps: list[tuple[int, int]]) -> bytes:
    return bytes(number for step in steps for number in step)


@settings(max_examples=50, deadline=None)
@given(steps=STEPS)
def test_nobody_hears_what_is_meant_for_another_and_every_request_counts_once(steps: list[tuple[int, int]]) -> None:
    made = crowd.run(written(steps))
    event(f"{min(4, made.received.total())} requests sent on")


def test_the_crowd_meets_what_it_is_there_for() -> None:
    dice = Random(7)
    outcomes: Counter[Outcome] = Counter()
    stand_ins = repeated = 0
    for _ in range(12):
        made = crowd.run(written([(dice.choice([0, 0, 1, 2, 2, 4, 4, 4, 5, 6, 7]), dice.randrange(256)) for _ in range(60)]))
        outcomes.update(seen.outcome for seen in made.notes.observations)
        stand_ins += sum(seen.served == "spare" for seen in made.notes.observations)
        repeated += sum(seen.attempts > 1 for seen in made.notes.observations)
    assert outcomes.keys() >= {Outcome.ANSWERED, Outcome.FAILED, Outcome.REJECTED, Outcome.ABANDONED}
    assert stand_ins > 2
    assert repeated > 2


def test_a_mark_of_another_is_found() -> None:
    """The checks themselves: what they are for, they see."""
    made = crowd.run(bytes([0, 0, 2, 0, 4, 255]))
    (party,) = [party for party in made.parties if party.marks]
    crowd.check_party(party)
    party.transport.written = party.transport.written.replace(party.marks[0], b"mark-99999")
    for broken in (party.transport.written, crowd.FORGED):
        party.transport.written = broken
        try:
            crowd.check_party(party)
        except AssertionError:
            continue
        raise AssertionError(f"not noticed: {broken}")
