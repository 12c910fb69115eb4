"""``changeover deployment rm``, ``pause`` and ``resume``: what is no longer used is taken out of Azure, with proof that nobody needs it."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from changeover.console.adopting import asked_of_azure
from changeover.console.asking import takes_where
from changeover.console.azure_options import AzureLook, azure_access
from changeover.console.failure import Failure
from changeover.console.output import note, print_table
from changeover.console.provisioning import agreed, read_declared, tell_progress
from changeover.console.server_link import Where, open_link
from changeover.console.taught import Taught
from changeover.ports.serving import CONFIG_NAME

if TYPE_CHECKING:
    from changeover.provision.actual import AccountKey, ActualDeployment
    from changeover.provision.known import Known
    from changeover.provision.plan import Step
    from changeover.provision.removal import Uses

ACCOUNT_OPTION = click.option(
    "--account", metavar="NAME", help="The account of the file that it is in, where the file has no entry for it."
)
YES_OPTION = click.option("--yes", is_flag=True, help="Do it without asking.")


class _Located(NamedTuple):
    """A deployment in Azure. ``account`` is the account's name in the file."""

    key: "AccountKey"
    account: str
    actual: "ActualDeployment"
    known: "Known"


@click.command(
    "rm",
    cls=Taught,
    examples=("changeover deployment rm gpt4omini-prod-v0718", "changeover deployment rm chat --account aoai-genai-prod --yes"),
)
@click.argument("name", metavar="DEPLOYMENT")
@ACCOUNT_OPTION
@azure_access
@YES_OPTION
@takes_where
def rm(where: Where, look: AzureLook, *, name: str, account: str | None, yes: bool) -> None:
    """Delete DEPLOYMENT in Azure, and give its quota back.

    Refused as long as a task names it, a rollout has it on one of its sides, it is the way back of a promotion, or a
    data plane has not yet said that it serves the present table. The server is asked for that: without it nothing is
    deleted. Where its SKU can be paused, changeover deployment pause first is a deletion that can be taken back.
    """
    from changeover.provision.plan import Refused
    from changeover.provision.removal import removal

    found = _located(where, look, name, account)
    step = removal(found.key, found.actual, _uses(where, found), now=_now())
    if isinstance(step, Refused):
        raise Failure(f"{found.actual.name} stays: {step.found}", hint=step.remedy)
    _do(step, look, yes=yes)
    click.echo(f"deleted {found.key.name}/{found.actual.name}: {step.note}{_quota_left(found)}")
    note("take it out of the file, too, if it stands there")


@click.command("pause", cls=Taught, examples=("changeover deployment pause gpt4omini-prod-v0718",))
@click.argument("name", metavar="DEPLOYMENT")
@ACCOUNT_OPTION
@azure_access
@YES_OPTION
@takes_where
def pause(where: Where, look: AzureLook, *, name: str, account: str | None, yes: bool) -> None:
    """Pause DEPLOYMENT in Azure: who still calls it is answered 423, and changeover deployment resume takes it back.

    Refused for the same reasons as rm.
    """
    from changeover.provision.plan import Refused
    from changeover.provision.removal import pausing

    found = _located(where, look, name, account)
    step = pausing(found.key, found.actual, _uses(where, found), now=_now())
    if step is None:
        click.echo(f"{found.actual.name} is paused already")
        return
    if isinstance(step, Refused):
        raise Failure(f"{found.actual.name} is not paused: {step.found}", hint=step.remedy)
    _do(step, look, yes=yes)
    click.echo(f"paused {found.key.name}/{found.actual.name}")


@click.command("resume", cls=Taught, examples=("changeover deployment resume gpt4omini-prod-v0718",))
@click.argument("name", metavar="DEPLOYMENT")
@ACCOUNT_OPTION
@azure_access
@takes_where
def resume(where: Where, look: AzureLook, *, name: str, account: str | None) -> None:
    """Take the pause of DEPLOYMENT in Azure back."""
    from changeover.provision.plan import Step

    found = _located(where, look, name, account)
    _do(Step(act="resume", account=found.key, deployment=found.actual.name), look, yes=True)
    click.echo(f"{found.key.name}/{found.actual.name} goes on")


def _located(where: Where, look: AzureLook, name: str, account: str | None) -> _Located:
    from changeover.bootstrap.provisioning import read_azure
    from changeover.provision.planning import found_under

    config = where.config or Path(CONFIG_NAME)
    declared = read_declared(config)
    entry = declared.deployments.get(name)
    where_it_is = account or (entry.account if entry is not None else "")
    if where_it_is not in declared.accounts:
        hint = f"name the account that it is in: --account, one of {', '.join(sorted(declared.accounts))}"
        raise Failure(f"{config} does not say where deployment {name} is", hint=hint)
    only = msgspec.structs.replace(declared, accounts={where_it_is: declared.accounts[where_it_is]})
    if not only.accounts[where_it_is].subscription:
        raise Failure(f"{config} does not say where account {where_it_is} is in Azure", hint="write its subscription and resource_group")
    known = asked_of_azure(lambda way: read_azure(way, only), look)
    called = entry.provider_name if entry is not None and account in (None, entry.account) else name
    present = known.deployments[where_it_is]
    actual = found_under(present, called)
    if actual is None:
        raise Failure(f"{where_it_is} has no deployment {called}", hint=f"there are {', '.join(each.name for each in present) or 'none'}")
    return _Located(known.accounts[where_it_is].key, where_it_is, actual, known)


def _uses(where: Where, found: _Located) -> "Uses":
    """Who still needs it, as the server knows."""
    from changeover.api.answers import RolloutsAnswer, StatusAnswer
    from changeover.api.inventory import DeploymentsAnswer
    from changeover.settings.deployment_uses import uses_of

    with open_link(where) as link:
        views = msgspec.json.decode(link.get("/api/v1/deployments"), type=DeploymentsAnswer).deployments
        rollouts = msgspec.json.decode(link.get("/api/v1/rollouts"), type=RolloutsAnswer).rollouts
        status = msgspec.json.decode(link.get("/api/v1/status"), type=StatusAnswer)
    own = found.actual.name.casefold()
    here = [each for each in views if each.deployment.account == found.account and each.deployment.provider_name.casefold() == own]
    names = [each.deployment.name for each in here] or [found.actual.name]
    planes = [each.plane for each in status.planes if each.behind or each.silent]
    tasks = [use.task for each in here for use in each.uses]
    return uses_of(names, tasks=tasks, rollouts=rollouts, planes=planes, is_declared=bool(here))


def _do(step: "Step", look: AzureLook, *, yes: bool) -> None:
    from changeover.bootstrap.provisioning import change_azure
    from changeover.console.render_provision import render_provision
    from changeover.provision.plan import ProvisionPlan

    print_table(render_provision(ProvisionPlan(steps=(step,))))
    agreed(yes=yes)
    (outcome,) = asked_of_azure(lambda way: change_azure(way, (step,), tell=tell_progress), look)
    if outcome.fault:
        raise Failure(f"{step.act} of {step.deployment} failed: {outcome.fault}", hint="repeat it: what is done is not done twice")


def _quota_left(found: _Located) -> str:
    from changeover.provision.known import Region
    from changeover.provision.offers import offer_of

    account = found.known.accounts[found.account]
    region = found.known.regions.get((account.subscription, account.region), Region())
    offer = offer_of(region.offers, found.actual.model)
    sold = None if offer is None else offer.sku(found.actual.sku)
    quota = next((each for each in region.quotas if sold is not None and each.name == sold.quota), None)
    if quota is None:
        return ""
    used = max(quota.used - (found.actual.capacity or 0), 0)
    return f"; {used:,} of {quota.limit:,} units of {quota.name} in {quota.region} are used now"


def _now() -> float:
    from changeover.adapters.system import SystemClock

    return SystemClock().now()
