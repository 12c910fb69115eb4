"""How does a forecast look? Traffic, steps, criteria, regressions, and what to do where a plan cannot decide. Pure."""

from rich.console import Group, RenderableType
from rich.table import Table

from changeover.api.forecasting import ForecastAnswer
from changeover.console.tables import cell, plain_table
from changeover.console.words import NOTHING
from changeover.rollout.forecast import CriterionForecast, PlanForecast, StepForecast, WeightEstimate, weight_words
from changeover.rollout.forecast_words import duration, spread, step_title, traffic_words, units
from changeover.rollout.ways_out import way_lines


def render_forecast(answer: ForecastAnswer) -> RenderableType:
    """All of it."""
    return Group(*_head(answer), cell(""), _what_ifs(answer.forecast), cell(""), *_conclusion(answer), *_ways(answer))


def render_forecast_first(answer: ForecastAnswer) -> RenderableType:
    """What somebody who starts a rollout should see before it begins."""
    return Group(*_head(answer), cell(""), *_conclusion(answer), cell(""))


def _head(answer: ForecastAnswer) -> list[RenderableType]:
    found = answer.forecast
    candidate = answer.candidate or "any candidate"
    return [
        cell(f"forecast for {answer.task}: {answer.stable} -> {candidate}, if the candidate is as good", "bold"),
        cell(traffic_words(found)),
        *(cell(f"  {_step_line(step, found)}", "red" if step.late else "") for step in found.steps),
        cell(""),
        _criteria(found),
        *(cell(f"{name}: not asked, {reason}", "dim") for name, reason in sorted(found.no_source.items())),
        *(cell(f"{one.criterion}: {one.note}", "yellow") for one in found.criteria if one.note),
    ]


def _step_line(step: StepForecast, found: PlanForecast) -> str:
    waits = "its dwell takes longest" if step.slowest == "dwell" else f"waits for {step.slowest}"
    limit = "" if step.max_days is None else f", at most {duration(step.max_days)}"
    took = spread(step.estimate, known=found.arrivals is not None)
    return f"{step_title(step)}: {took} (dwell {duration(step.dwell_days)}{limit}); {waits}"


def _criteria(found: PlanForecast) -> Table:
    known = found.arrivals is not None
    weights = _weights(found)
    heads = [f"at {weight_words(weight)}" for weight in weights]
    table = plain_table("criterion", "accepted", "rests on", *heads, "with this plan", right=heads)
    for one in found.criteria:
        name = f"{one.criterion}{'' if one.gate else ' (guardrail)'}{' <' if one.criterion == found.bottleneck else ''}"
        at = [cell(_pair(estimate)) for estimate in one.at]
        along = spread(one.along, known=known) if one.gate else NOTHING
        table.add_row(cell(name, "bold"), cell(one.margin), cell(one.basis), *at, cell(along))
    table.caption = "requests until half, and until four of five, of such rollouts have passed; < is the bottleneck"
    table.caption_justify = "left"
    return table


def _what_ifs(found: PlanForecast) -> Table:
    heads = [f"caught at {weight_words(weight)}" for weight in _weights(found)]
    table = plain_table("criterion", "if the candidate were", *heads)
    for one in found.criteria:
        for what in one.what_if:
            at = ["inside the accepted margin" if what.inside else _caught(here, found) for here in what.at]
            table.add_row(cell(one.criterion, "bold"), cell(what.harm), *map(cell, at))
    return table


def _caught(here: WeightEstimate, found: PlanForecast) -> str:
    days = "" if found.arrivals is None else f"; {spread(here.estimate, known=True)}"
    return f"{_pair(here)}{days}"


def _pair(here: WeightEstimate) -> str:
    low, high = units(here.estimate.n50), units(here.estimate.n80)
    return low if low == high else f"{low} / {high}"


def _conclusion(answer: ForecastAnswer) -> list[RenderableType]:
    return [cell(answer.sentence, "bold"), *(cell(text) for text in answer.regressions)]


def _ways(answer: ForecastAnswer) -> list[RenderableType]:
    if not answer.hopeless:
        return []
    return [
        cell(""),
        *(cell(f"rollout start would refuse: {reason}", "red") for reason in answer.hopeless),
        *(cell(line) for line in way_lines(answer.ways_out)),
        *([cell(f"- all the same:\n    {answer.accept}")] if answer.candidate else []),
    ]


def _weights(found: PlanForecast) -> list[float]:
    first: CriterionForecast | None = next(iter(found.criteria), None)
    return [] if first is None else [here.percent for here in first.at]
