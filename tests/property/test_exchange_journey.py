"""Whatever happens to a request in whatever order, it is observed exactly once, as it was at its first end."""

from hypothesis import event, given
from hypothesis import strategies as st

from changeover.exchange.journey import Journey
from changeover.exchange.observation import Observation, Outcome
from changeover.traffic.table import Route, Side

ROUTE = Route(task="mail", stable="old", candidate="new", candidate_permille=500, attempt=1, salt="s")
STEPS = st.sampled_from(["route", "first_byte", "first_token", "finish", "refuse"])


def take(journey: Journey, step: str, at: float, outcome: Outcome) -> Observation | None:
    if step == "route":
        journey.route("mail", ROUTE, None)
    elif step == "first_byte":
        journey.first_byte(at)
    elif step == "first_token":
        journey.first_token(at)
    elif step == "refuse":
        return journey.refuse(at, status=400, error="no")
    else:
        return journey.finish(at, outcome)
    return None


@given(number=st.integers(), steps=st.lists(STEPS, max_size=12), outcome=st.sampled_from(Outcome))
def test_every_journey_ends_in_exactly_one_observation(number: int, steps: list[str], outcome: Outcome) -> None:
    journey = Journey(f"req-{number}", started_at=1.0, at=0.0, revision=1)
    taken = [*steps, "finish"]
    seen = [observation for at, step in enumerate(taken) if (observation := take(journey, step, float(at), outcome))]
    assert len(seen) == 1
    first_end = min(taken.index(end) for end in ("finish", "refuse") if end in taken)
    routed = "route" in taken[:first_end]
    assert seen[0].latency_ms == first_end * 1000.0
    assert (seen[0].side is not None) == routed
    assert (seen[0].first_byte_ms is None) == ("first_byte" not in taken[:first_end])
    event(f"side {seen[0].side}" if routed else "never assigned")
    assert seen[0].side in {None, Side.STABLE, Side.CANDIDATE}
