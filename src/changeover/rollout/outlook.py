"""What would a rollout mean, before it is started? Its length, whether the way back outlives it, and what both sides need."""

import datetime as dt
from collections.abc import Sequence

from changeover.evidence.arrivals import DAY_S
from changeover.rollout.forecast_words import duration
from changeover.rollout.plan import Plan, percent
from changeover.versions import Deployment
from changeover.versions.prices import Price


def length_words(plan: Plan, days: float | None) -> str:
    """How long until the candidate is trusted. ``days``: by when four fifths of such rollouts have their analyses behind them,
    ``None`` where nobody knows.
    """
    bake_days = plan.bake.duration_s / DAY_S
    bake = f", of which {duration(bake_days)} of bake" if bake_days else ""
    if days is None:
        return f"how long it takes is not known: no traffic was seen{f'; its bake alone takes {duration(bake_days)}' if bake_days else ''}"
    return f"promotion is to be expected within {duration(days + bake_days)}{bake}; people's approvals and pauses come on top"


def way_back_words(plan: Plan, *, stable: str, days: float | None, now: float) -> tuple[str, ...]:
    """How long the old version is there to go back to, and whether that is longer than the plan."""
    kept = "for as long as it is declared" if plan.retain_s is None else f"for {duration(plan.retain_s / DAY_S)} after promotion"
    held = plan.bake.holdback_permille
    control = f"; {percent(held)} of the traffic stays on it while it bakes" if held else ""
    words = [f"{stable} stays the way back {kept}{control}"]
    deadline = plan.deadline
    if deadline is None:
        return tuple(words)
    left = (deadline.at - now) / DAY_S
    day = dt.datetime.fromtimestamp(deadline.at, tz=dt.UTC).strftime("%Y-%m-%d")
    gone = f"{stable} retires on {day}" if deadline.retires == "stable" else f"its deadline is {day}"
    needed = None if days is None else days + plan.bake.duration_s / DAY_S
    if needed is None:
        words.append(f"{gone}, {duration(left)} from now; whether the plan is through by then is not known")
    elif needed > left:
        words.append(f"{gone}, {duration(left)} from now: the plan is not through by then")
    elif deadline.retires == "stable":
        words.append(f"{gone}: there is a way back for {duration(left - needed)} after promotion, whatever retain_old says")
    else:
        words.append(f"{gone}: the plan is through {duration(left - needed)} before it")
    return tuple(words)


def capacity_words(stable: Sequence[Deployment], candidate: Sequence[Deployment]) -> tuple[str, ...]:
    """Whether either side could serve all of the task. The old one keeps what it has until it is retired (rule I8)."""
    have, need = _capacity(candidate), _capacity(stable)
    if have is None or need is None:
        missing = candidate[0].name if have is None else stable[0].name
        return (f"capacity: nobody said what {missing} has; compare it with the task's peak before the last weight",)
    kept = f"{stable[0].name} has a capacity of {need} and keeps it until it is retired"
    if have < need:
        return (f"{kept}; {candidate[0].name} has {have}, which is less: at the last weight it may be throttled",)
    return (f"{kept}; {candidate[0].name} has {have}",)


def cost_words(stable: tuple[str, Price | None], candidate: tuple[str, Price | None]) -> tuple[str, ...]:
    """What running both costs, as far as list prices are known."""
    hourly = [name for name, price in (stable, candidate) if price is not None and price.provisioned]
    unknown = [name for name, price in (stable, candidate) if price is None]
    words = [f"double running: {name} is paid by the hour, also while it serves little" for name in hourly]
    if unknown:
        return (*words, f"double running: no list price is known of {', '.join(unknown)}")
    if not hourly:
        words.append("double running: both are paid by the token, and each request is served once: running both costs nothing more")
    prices = [f"{name} {price.rates.input:g} and {price.rates.output or 0.0:g}" for name, price in (stable, candidate) if price is not None]
    return (*words, f"list prices in USD for a million tokens in and out: {'; '.join(prices)}")


def _capacity(members: Sequence[Deployment]) -> int | None:
    """Of a whole pool; ``None`` where one of it is not known."""
    known = [member.capacity for member in members]
    return sum(each for each in known if each is not None) if known and None not in known else None
