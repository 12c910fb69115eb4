"""Whatever splits came before and after it, a request is explained by the draw that its data plane made."""

from typing import NamedTuple
from urllib.parse import quote

from hypothesis import event, given, settings
from hypothesis import strategies as st

from changeover.api.explain_answers import RequestExplained, UnitExplained
from changeover.exchange.journey import Journey
from changeover.exchange.observation import Observation, Outcome
from changeover.exchange.unit import UNIT_HEADER, find_unit
from changeover.ports.planes import ObservationBatch
from changeover.rollout.world import routes
from changeover.traffic.assignment import assign
from changeover.traffic.table import Side
from tests.unit.api.bench import Bench


class Weigh(NamedTuple):
    percent: float


class Ask(NamedTuple):
    unit: str | None


UNITS = st.one_of(st.none(), st.sampled_from(["anna", "ben", "cleo", "ä/ö ü", "x" * 600]))
STEPS = st.lists(st.one_of(st.builds(Weigh, st.integers(0, 1000).map(lambda permille: permille / 10)), st.builds(Ask, UNITS)), max_size=12)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_every_request_is_explained_by_the_draw_of_its_own_time(steps: list[Weigh | Ask]) -> None:
    with Bench() as bench:
        asked = [told for number, step in enumerate(steps) if (told := taken(bench, number, step)) is not None]
        for unit, seen in asked:
            found = bench.ask(f"/api/v1/tasks/email/explain?request={seen.request_id}{_unit(unit)}", RequestExplained)
            assert found.agrees is True
            assert found.weight is not None
            assert found.weight.revision <= seen.revision
            assert found.weight.percent == round(seen.candidate_probability * 100, 1)
            event(f"assigned to {found.side}")
        for unit in {unit for unit, _ in asked if unit is not None}:
            now = bench.ask(f"/api/v1/tasks/email/explain?{_unit(unit)[1:]}", UnitExplained)
            assert now.drawn.deployment == now.turns[-1].drawn.deployment
            if len(unit) < 100:
                assert now.drawn.deployment == assign(routes(bench.world)["email"], unit).deployment


def taken(bench: Bench, number: int, step: Weigh | Ask) -> tuple[str | None, Observation] | None:
    """A request that was served, with its unit; ``None`` for a new split (the same one again changes nothing)."""
    if isinstance(step, Ask):
        return step.unit, served(bench, number, step.unit)
    weights = {"old": round(100 - step.percent, 1), "new": step.percent} if step.percent else {"old": 100}
    assert bench.post("/api/v1/tasks/email/split", {"weights": weights, "reason": "look"}).status_code < 500
    return None


def served(bench: Bench, number: int, unit: str | None) -> Observation:
    """As a data plane draws it, which reads the unit from a header: bounded and without blanks around it."""
    named = None if unit is None else find_unit({UNIT_HEADER: unit.encode()}, {}, ())
    journey = Journey(f"r{number}", started_at=bench.clock.now(), at=0.0, revision=bench.world.table_revision)
    drawn = journey.route("email", routes(bench.world)["email"], named)
    told = journey.finish(0.1, Outcome.ANSWERED, status=200, served=drawn.deployment)
    assert told is not None
    assert told.side in Side
    bench.store.take(ObservationBatch(plane="p0", boot="b1", sequence=number + 1, watermark_at=0.0, observations=(told,)), at=0.0)
    return told


def _unit(unit: str | None) -> str:
    return "" if unit is None else f"&unit={quote(unit, safe='')}"
