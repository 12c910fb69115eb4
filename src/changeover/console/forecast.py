"""``changeover rollout forecast``, the options by which a start may differ from its plan, and the forecast before a start."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, cast

import click
import msgspec

from changeover.api.forecasting import ForecastAnswer
from changeover.console.asking import Asking, asks_server
from changeover.console.output import note, print_table, show
from changeover.console.server_link import ServerRefusal, segment
from changeover.console.taught import Taught
from changeover.rollout.adjustment import MARGINS

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was said about the plan."""

    even: bool = False
    guard_only: tuple[str, ...] = ()
    margins: tuple[tuple[str, float], ...] = ()
    requests_per_day: float | None = None
    accept_undecided: bool = False

    def body(self) -> dict[str, object]:
        """As the call that starts a rollout takes it."""
        adjustment = {"even": self.even, "guard_only": self.guard_only, "margins": dict(self.margins)}
        return {"adjustment": adjustment, "requests_per_day": self.requests_per_day, "accept_undecided": self.accept_undecided}

    def params(self) -> dict[str, str | int]:
        """As the call that forecasts takes it."""
        found: dict[str, str | int] = {}
        if self.even:
            found["even"] = 1
        if self.guard_only:
            found["guard_only"] = ",".join(self.guard_only)
        if self.margins:
            found["margin"] = ",".join(f"{name}={margin:.10g}" for name, margin in self.margins)
        if self.requests_per_day is not None:
            found["requests_per_day"] = f"{self.requests_per_day:.10g}"
        return found


def wants_plan(function: Callable[Concatenate[Asking, Wanted, P], None]) -> Callable[Concatenate[Asking, P], None]:
    """Give a command the options that change a plan, and a `Wanted` as its second argument."""

    @functools.wraps(function)
    def told(asking: Asking, *args: P.args, **kwargs: P.kwargs) -> None:
        wanted = Wanted(
            even=cast("bool", kwargs.pop("even")),
            guard_only=tuple(name.strip() for name in cast("str", kwargs.pop("guard_only")).split(",") if name.strip()),
            margins=tuple(_margin(text) for text in cast("tuple[str, ...]", kwargs.pop("margin"))),
            requests_per_day=cast("float | None", kwargs.pop("requests_per_day")),
            accept_undecided=cast("bool", kwargs.pop("accept_undecided", False)),
        )
        function(asking, wanted, *args, **kwargs)

    changed = cast("Callable[..., None]", told)
    for option in reversed(_PLAN_OPTIONS):
        changed = option(changed)
    return changed


def _margin(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name.strip(), float(value)
    except ValueError:
        raise click.BadParameter(f"found {text!r}, expected CRITERION=NUMBER", param_hint="--margin") from None


_PLAN_OPTIONS = (
    click.option(
        "--requests-per-day",
        type=click.FloatRange(min=0, min_open=True),
        metavar="N",
        help="New units a day, instead of those that were seen (a sticky unit counts once per rollout).",
    ),
    click.option("--even", is_flag=True, help="Begin at 50:50 instead of the plan's smaller weights."),
    click.option("--guard-only", default="", metavar="QUANTILES", help="Latency quantiles (p99) that may roll back and are no gate."),
    click.option(
        "--margin",
        multiple=True,
        metavar="CRITERION=NUMBER",
        help=f"Accept another loss for this rollout; criteria: {', '.join(MARGINS)}.",
    ),
)

accepts_undecided = click.option(
    "--accept-undecided", is_flag=True, help="Start although the forecast says that it will hardly decide in time; needs --reason."
)
"""For the command that starts; `wants_plan` takes it in."""


@click.command(
    "forecast",
    cls=Taught,
    examples=(
        "changeover rollout forecast email-summarisation --to gpt4omini-prod-v0718",
        "changeover rollout forecast email-summarisation --requests-per-day 50000 --preset cheaper-model",
        "changeover rollout forecast email-summarisation --margin latency=1.2 --guard-only p99 -o json",
    ),
)
@click.argument("task")
@click.option("--to", "candidate", default="", metavar="DEPLOYMENT", help="The candidate, if the file has a rollout to several or none.")
@click.option("--preset", type=click.Choice(["strict", "standard", "cheaper-model"]), help="Look ahead under another preset.")
@asks_server
@wants_plan
def forecast(asking: Asking, wanted: Wanted, task: str, candidate: str, preset: str | None) -> None:
    """How long would a rollout of TASK take, and how soon would it catch a regression?

    Requests and days until each criterion decides, from the stable's own last day where there is enough of
    it. Changes nothing.
    """
    from changeover.console.render_forecast import render_forecast

    said = {name: value for name, value in (("to", candidate), ("preset", preset)) if value}
    show(_ask(asking, wanted, task, **said), ForecastAnswer, render=render_forecast, output=asking.output)


def show_forecast_first(asking: Asking, wanted: Wanted, *, task: str, candidate: str) -> None:
    """Before a start. Where there is none to be had the start itself will say why. In the way of data it goes to stderr."""
    try:
        reply = _ask(asking, wanted, task, to=candidate)
    except ServerRefusal:
        return
    found = msgspec.json.decode(reply, type=ForecastAnswer)
    if asking.output == "table":
        from changeover.console.render_forecast import render_forecast_first

        print_table(render_forecast_first(found))
    else:
        note(f"forecast: {found.sentence}")
    if found.forecast.arrivals is None:
        note("warning: the traffic is not known yet, so the forecast counts requests and no days")


def _ask(asking: Asking, wanted: Wanted, task: str, **said: str) -> bytes:
    return asking.link.get(f"/api/v1/tasks/{segment(task)}/forecast", **wanted.params(), **said)
