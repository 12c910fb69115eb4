"""How does a plan for Azure read? One line a deployment, with a sign that reads without colour. Pure."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from changeover.provision.plan import Act, FieldChange, ProvisionPlan, Step

SIGNS: Final[dict[Act, str]] = {
    "create": "+", "replace": "+", "pin": "P", "update": "~", "pause": "~", "resume": "~", "delete": "-"
}  # fmt: skip
_STYLES: Final = {"+": "green", "P": "green", "~": "yellow", "-": "red", "!": "bold red", "=": "cyan"}


def render_provision(plan: ProvisionPlan) -> RenderableType:
    lines = list(_lines(plan))
    if not lines:
        return Text("no changes: Azure is as the file says")
    counted = ", ".join(f"{sum(step.act == act for step in plan.steps)} {act}" for act in SIGNS if any(s.act == act for s in plan.steps))
    rest = f"{len(plan.refused)} refused, {len(plan.remarks)} left alone"
    return Group(*lines, Text(""), Text(f"plan: {counted or 'nothing to do'}; {rest}"))


def _lines(plan: ProvisionPlan) -> Iterator[Text]:
    for step in plan.steps:
        yield _step(step)
    for refused in plan.refused:
        yield _line("!", f"{refused.account}/{refused.deployment}", f"{refused.found}\n    {refused.remedy}")
    for remark in plan.remarks:
        yield _line("=", f"{remark.account}/{remark.deployment}", remark.text)


def _step(step: Step) -> Text:
    changes = "; ".join(map(_change, step.changes))
    beside = f" beside {step.beside}" if step.beside else ""
    note = f"\n    {step.note}" if step.note else ""
    return _line(SIGNS[step.act], f"{step.account.name}/{step.deployment}", f"{step.act}{beside}: {changes}{note}")


def _change(change: FieldChange) -> str:
    return f"{change.field} {change.before} -> {change.after}" if change.before else f"{change.field} {change.after}"


def _line(sign: str, where: str, words: str) -> Text:
    text = Text(f"{sign} {where}", style=_STYLES[sign])
    text.append(f"  {words}", style="default")
    return text
