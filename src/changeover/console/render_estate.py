"""How does what is in Azure look? A line a deployment, and one for whatever would bite first."""

from rich.table import Table

from changeover.console.tables import cell, plain_table
from changeover.provision.estate import Estate
from changeover.provision.survey import Surveyed
from changeover.versions.dates import day_words
from changeover.versions.sku import capacity_words

_GRAVE = frozenset({"unpinned", "auto-upgrading", "retired"})


def render_estate(estate: Estate) -> Table:
    heads = ("account", "deployment", "model", "sku", "capacity", "upgrade", "retires", "trouble")
    table = plain_table(*heads, whole=("account", "deployment", "capacity"))
    for account in estate.accounts:
        for found in account.deployments:
            table.add_row(
                *map(cell, _plain_cells(found)), cell(", ".join(each.trouble for each in found.troubles) or "none", _style(found))
            )
    return table


def trouble_lines(estate: Estate) -> tuple[str, ...]:
    """What would bite first, a line each; the rest stands in the file, beside its deployment."""
    return tuple(
        f"{found.account}/{found.deployment.name}: {each.found}; {each.remedy}"
        for account in estate.accounts
        for found in account.deployments
        for each in found.troubles
        if each.trouble in _GRAVE
    )


def _plain_cells(found: Surveyed) -> tuple[str, ...]:
    deployment = found.deployment
    retires = "?" if found.retires_at is None else day_words(found.retires_at)
    capacity = capacity_words(deployment.sku, deployment.capacity)
    return (
        f"{found.account} ({found.region})",
        deployment.name,
        str(deployment.model),
        deployment.sku,
        capacity,
        deployment.upgrade or "not said",
        retires,
    )


def _style(found: Surveyed) -> str:
    kinds = {each.trouble for each in found.troubles}
    return "red" if kinds & _GRAVE else "yellow" if kinds else "green"
