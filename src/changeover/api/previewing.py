"""What would a start do? Everything that it would check and take, and nothing of it done."""

import msgspec

from changeover.api.desk import Desk
from changeover.api.forecasting import ForecastAnswer, foresee
from changeover.rollout.outlook import capacity_words, cost_words, length_words, way_back_words
from changeover.rollout.sides import confounders, members
from changeover.rollout.standing import plan_words
from changeover.rollout.state import Rollout
from changeover.rollout.ways_out import Adjusting
from changeover.rollout.world import World


class PreviewAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rollout as it would begin, its steps in words with the bake as the last, and the forecast with why it would be refused,
    if it would. ``way_back``, ``capacity`` and ``cost`` are sentences.
    """

    rollout: Rollout
    steps: tuple[str, ...]
    forecast: ForecastAnswer
    length: str
    way_back: tuple[str, ...]
    capacity: tuple[str, ...]
    cost: tuple[str, ...]
    left_out: dict[str, str]
    warnings: tuple[str, ...]


async def previewed(desk: Desk, world: World, rollout: Rollout, adjusting: Adjusting) -> PreviewAnswer:
    """``rollout`` as it would begin in ``world``."""
    plan, now = rollout.plan, desk.clock.now()
    forecast = await foresee(desk, adjusting, plan)
    days = None if forecast.forecast.arrivals is None else forecast.forecast.total.days80
    stable = members(world.deployments, rollout.stable, rollout.stable_pool)
    candidate = members(world.deployments, rollout.candidate, rollout.candidate_pool)
    return PreviewAnswer(
        rollout=rollout,
        steps=plan_words(plan, stable=rollout.stable),
        forecast=forecast,
        length=length_words(plan, days),
        way_back=way_back_words(plan, stable=rollout.stable, days=days, now=now),
        capacity=capacity_words(stable, candidate),
        cost=_cost(desk, world, rollout, now),
        left_out=plan.criteria.left_out,
        warnings=tuple(map(str, confounders(stable, candidate))),
    )


def _cost(desk: Desk, world: World, rollout: Rollout, now: float) -> tuple[str, ...]:
    book = desk.prices
    if book is None:
        return ("double running: no price list is at hand",)
    sides = [world.deployments[name] for name in (rollout.stable, rollout.candidate)]
    stable, candidate = ((side.name, book.price_of(side, world.accounts[side.account], now)) for side in sides)
    return cost_words(stable, candidate)
