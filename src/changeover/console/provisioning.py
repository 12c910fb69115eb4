"""``changeover deployment plan`` and ``apply``: the file's deployments against those in Azure."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from changeover.console.adopting import asked_of_azure
from changeover.console.azure_options import AzureLook, azure_access
from changeover.console.failure import ExitCode, Failure
from changeover.console.output import Format, as_text, is_interactive, note, print_table
from changeover.console.setup import CONFIG_OPTION, faulty, read_config
from changeover.console.taught import Taught

if TYPE_CHECKING:
    from changeover.bootstrap.provisioning import Outcome, Planned
    from changeover.provision.plan import ProvisionPlan, Step
    from changeover.settings.declared import Declared

CHANGES_PENDING = 2
_OUTPUT = click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Form of the answer."
)


@click.command(
    "plan", cls=Taught, examples=("changeover deployment plan", "changeover deployment plan -c prod/changeover.yaml --detailed-exitcode")
)
@CONFIG_OPTION
@azure_access
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PLAN", help="Save the plan here, for apply --plan.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there is something to change.")
@_OUTPUT
def plan_azure(look: AzureLook, *, config: Path, out: Path | None, detailed_exitcode: bool, output: Format) -> None:
    """Show what would be made and changed in Azure so that it is as the file says, and change nothing.

    + is made, ~ is changed, P is pinned; ! is refused, with the reason and what to do; = differs and is left alone.
    A version never changes under a name: the new one is made beside the old. Nothing is ever deleted by this.
    """
    planned = planned_now(look, read_declared(config))
    _show(planned.plan, output)
    if out is not None:
        _save(out, planned)
    if detailed_exitcode and planned.plan.steps:
        click.get_current_context().exit(CHANGES_PENDING)


@click.command(
    "apply",
    cls=Taught,
    examples=(
        "changeover deployment apply",
        "changeover deployment apply -c prod/changeover.yaml --yes",
        "changeover deployment apply --plan azure.plan",
    ),
)
@CONFIG_OPTION
@azure_access
@click.option(
    "--plan",
    "saved",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PLAN",
    help="A plan that was saved and looked at, in place of the file. Asks nothing; exits with 6 when Azure has moved on since.",
)
@click.option("--yes", is_flag=True, help="Apply without asking.")
@_OUTPUT
def apply_azure(look: AzureLook, *, config: Path, saved: Path | None, yes: bool, output: Format) -> None:
    """Make and change deployments in Azure so that they are as the file says, and read each one back.

    Shows the plan and asks first. Writes to one account come one after another; what is busy is tried again. It can be
    repeated after anything went wrong: what is done is not done twice. Exits 1 when something was refused or failed.
    """
    from changeover.bootstrap.provisioning import change_azure

    plan = planned_now(look, read_declared(config)).plan if saved is None else _saved_plan(look, saved)
    _show(plan, "table" if output == "table" else None)
    outcomes: list[Outcome] = []
    if plan.steps and agreed(yes=yes or saved is not None):
        outcomes = asked_of_azure(lambda way: change_azure(way, plan.steps, tell=tell_progress), look)
    _show_outcomes(outcomes, output)
    failed = [each for each in outcomes if each.fault]
    if failed or plan.refused:
        raise Failure(
            f"{len(failed)} of {len(plan.steps)} failed, {len(plan.refused)} refused",
            details=[f"{each.step.account.name}/{each.step.deployment}: {each.fault}" for each in failed],
            hint="correct what is said, and repeat: what is done is not done twice",
        )


def planned_now(look: AzureLook, declared: "Declared") -> "Planned":
    """The plan over the accounts that say where they are in Azure."""
    from changeover.bootstrap.provisioning import plan_azure as plan
    from changeover.versions.naming import NamePolicy

    planned = asked_of_azure(lambda way: plan(way, placed(declared), policy=NamePolicy(declared.policy.name)), look)
    for line in planned.known.unread:
        note(f"not judged, what that region offers and its quota: {line}")
    return planned


def placed(declared: "Declared") -> "Declared":
    """``declared``, if an account of it says where it is.

    Raises:
        Failure: none does.
    """
    if not any(each.subscription for each in declared.accounts.values()):
        hint = "write subscription and resource_group for those that changeover is to look after; changeover init --azure does"
        raise Failure("no account of the file says where it is in Azure", hint=hint)
    return declared


def agreed(*, yes: bool) -> bool:
    """Whether somebody agreed to what was shown.

    Raises:
        Failure: nobody did.
    """
    if yes:
        return True
    if not is_interactive():
        raise Failure("nobody is there to agree to the plan", hint="say so: --yes", code=ExitCode.NOT_ALLOWED)
    if not click.confirm("do this in Azure?", err=True):
        raise Failure("not done", hint="nothing was changed")
    return True


def tell_progress(step: "Step", line: str) -> None:
    note(f"{step.account.name}/{step.deployment}: {step.act}, {line}")


def read_declared(config: Path) -> "Declared":
    """The file. Raises ``Failure``."""
    from changeover.bootstrap.prompts import prompts_beside
    from changeover.settings.declared import SettingsError
    from changeover.settings.file import parse

    try:
        return parse(read_config(config), files=prompts_beside(config))
    except SettingsError as error:
        raise faulty(config, error) from error


def _save(path: Path, planned: "Planned") -> None:
    from changeover.provision.saved import saved_plan

    try:
        path.write_bytes(msgspec.json.encode(saved_plan(planned.plan, planned.known)))
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}", hint="name another place with --out") from error
    note(f"saved: changeover deployment apply --plan {path}; it holds as long as those deployments are as they are")


def _saved_plan(look: AzureLook, path: Path) -> "ProvisionPlan":
    """A plan that was saved, if it still holds."""
    from changeover.bootstrap.provisioning import seen_in_azure
    from changeover.provision.saved import SavedPlan, moved_since

    try:
        saved = msgspec.json.decode(path.read_bytes(), type=SavedPlan)
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", hint="save one: changeover deployment plan --out PLAN") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Failure(f"{path} is no saved plan ({error})", hint="save one: changeover deployment plan --out PLAN") from error
    moved = moved_since(saved, asked_of_azure(lambda way: seen_in_azure(way, saved.plan.steps), look))
    if moved:
        details = [f"{step.account.name}/{step.deployment} is another by now" for step in moved]
        raise Failure("Azure has moved on since the plan", details=details, hint="make a new one", code=ExitCode.STALE)
    return saved.plan


def _show(plan: "ProvisionPlan", output: Format | None) -> None:
    from changeover.console.render_provision import render_provision

    if output == "table":
        print_table(render_provision(plan))
    elif output is not None:
        click.echo(as_text(msgspec.json.encode(plan), output=output))


def _show_outcomes(outcomes: "list[Outcome]", output: Format) -> None:
    if output != "table":
        click.echo(as_text(msgspec.json.encode(outcomes), output=output))
    elif outcomes:
        done = sum(not each.fault for each in outcomes)
        click.echo(f"{done} of {len(outcomes)} done and read back")
