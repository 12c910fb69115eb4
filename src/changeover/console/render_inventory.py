"""How do tasks and deployments look, one by one? Pure."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table

from changeover.api.inventory import DeploymentsAnswer, DeploymentView, TaskAnswer, Use
from changeover.console import words
from changeover.console.render_status import task_table
from changeover.console.tables import cell, plain_table
from changeover.versions import RequestSettings
from changeover.versions.sku import capacity_words


def render_task(answer: TaskAnswer) -> RenderableType:
    task = answer.task
    table = plain_table("part", "deployment", "version", "account", "weight", right=("weight",))
    for view in answer.deployments:
        for use in view.uses:
            weight = words.NOTHING if use.part == "failover" else words.percent(use.percent)
            table.add_row(
                cell(use.part), cell(view.deployment.name, "bold"), cell(str(view.deployment.model)), cell(view.account.name), cell(weight)
            )
    unit = ", ".join(task.sticky_by) or "the single request"
    return Group(task_table((task,)), cell(""), cell(f"a unit is: {unit}"), cell(""), table)


def render_deployments(answer: DeploymentsAnswer) -> RenderableType:
    if not answer.deployments:
        return cell("no deployments: declare one in changeover.yaml, then start with an empty state directory")
    table = plain_table("deployment", "version", "account", "environment", "used by")
    for view in answer.deployments:
        found = view.deployment
        table.add_row(
            cell(found.name, "bold"), cell(str(found.model)), cell(found.account), cell(found.environment), cell(_used_by(view.uses))
        )
    return table


def render_deployment(view: DeploymentView) -> RenderableType:
    found, account = view.deployment, view.account
    table = Table.grid(padding=(0, 2, 0, 0))
    rows = (
        ("deployment", found.name),
        ("version", str(found.model)),
        ("environment", found.environment),
        ("account", f"{account.name} ({account.kind}) {account.endpoint}"),
        ("secret", f"{account.auth.source} {account.auth.name}".rstrip()),
        ("called in Azure", found.called or None),
        ("sku", found.sku),
        ("capacity", None if found.capacity is None else capacity_words(found.sku or "", found.capacity)),
        ("region", found.region),
        ("content filter", found.content_filter),
        ("kept by", "somebody else: observed" if found.observed else None),
        ("requests", "as they are" if found.request is None else _settings(found.request)),
        ("used by", _used_by(view.uses)),
    )
    for name, value in rows:
        if value is not None:
            table.add_row(cell(name, "dim"), cell(value))
    return table


def _used_by(uses: Iterable[Use]) -> str:
    return ", ".join(f"{use.task} ({_part(use)})" for use in uses) or "no task"


def _part(use: Use) -> str:
    return "failover" if use.part == "failover" else f"{use.part}, {words.percent(use.percent)}"


def _settings(request: RequestSettings) -> str:
    parts = [f"{old} becomes {new}" for old, new in sorted(request.rename.items())]
    parts += [f"{name} is dropped" for name in request.drop]
    parts += [f"{name} is set to {value!r}" for name, value in sorted(request.set.items())]
    parts += [] if request.system_prompt is None else [f"a system prompt is put in ({request.system_prompt_mode})"]
    return "; ".join(parts) or "as they are"
