"""Reading Azure for a file: what is found is shown as a table, and what would bite is said."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from changeover.console.azure_options import AzureLook
from changeover.console.failure import Failure
from changeover.console.output import note, print_table
from changeover.ports.cloud import CloudError

if TYPE_CHECKING:
    from changeover.bootstrap.cloud import CloudWay
    from changeover.provision.estate import Estate
    from changeover.settings.adopting import Adoption
    from changeover.settings.declared import Declared
    from changeover.settings.requests import PromptFiles

T = TypeVar("T")
READER_HINT = "give the identity the role Reader on the subscription; docs/reference/azure-permissions.md lists what each part needs"
HINTS = {
    "no-token": "sign in with az login; --identity cli, managed or workload tries one alone and says why it gives none",
    "forbidden": READER_HINT,
    "unreachable": "look at the way out: changeover doctor",
}


def asked_of_azure(work: "Callable[[CloudWay], T]", look: AzureLook) -> T:
    """What ``work`` gives, asked in the way that the options say.

    Raises:
        Failure: Azure cannot be asked.
    """
    import msgspec

    from changeover.bootstrap.cloud import CloudWay
    from changeover.gateway.egress import EgressError

    said = {"cloud": look.cloud, "method": look.identity, "client_id": look.client_id, "endpoint": look.endpoint}
    try:
        return work(msgspec.convert(said, CloudWay))
    except CloudError as error:
        raise Failure(f"Azure cannot be asked: {error}", hint=HINTS.get(error.fault, "")) from error
    except EgressError as error:
        raise Failure(str(error)) from error


def look_at(look: AzureLook, resource: str, *, pattern: str = "") -> "Estate":
    """What is in Azure.

    Raises:
        Failure: nothing of it could be read.
    """
    from changeover.bootstrap.cloud import Wanted, look_at_azure
    from changeover.versions.naming import DEFAULT_POLICY, NamePolicy

    policy = NamePolicy(pattern or DEFAULT_POLICY)
    wanted = Wanted(resource=resource, subscription=look.subscription)
    estate = asked_of_azure(lambda way: look_at_azure(way, wanted, policy=policy), look)
    _refuse_nothing(estate, resource)
    return estate


def adopted_text(look: AzureLook, resource: str) -> str:
    """A whole file of what is in Azure, with the table shown on the way."""
    from changeover.settings.adopted_file import new_file

    adoption = adopted(look, resource)
    if not adoption.deployments:
        raise Failure(
            "found no deployment in Azure that a file could declare", details=adoption.notes, hint="make one, or: changeover init"
        )
    text = new_file(adoption)
    refuse_faulty(text)
    return text


def adopted(look: AzureLook, resource: str, *, file: "Declared | None" = None) -> "Adoption":
    """What is in Azure and not in ``file`` yet, told as it is found."""
    from changeover.console.render_estate import render_estate, trouble_lines
    from changeover.settings.adopting import adopt

    estate = look_at(look, resource, pattern="" if file is None else file.policy.name)
    print_table(render_estate(estate))
    for line in estate.unseen:
        note(f"not seen: {line}")
    deployments, accounts = ((), ()) if file is None else (tuple(file.deployments.values()), tuple(file.accounts.values()))
    adoption = adopt(estate, observed=look.observed, present=deployments, accounts=accounts)
    for line in adoption.notes:
        note(f"note: {line}")
    _tell_troubles(estate)
    for line in trouble_lines(estate):
        click.echo(f"  {line}")
    return adoption


def refuse_faulty(text: str, *, files: "PromptFiles | None" = None) -> None:
    """Nothing is written that `check` would refuse."""
    from changeover.settings.declared import SettingsError
    from changeover.settings.file import parse
    from changeover.settings.requests import no_files

    try:
        parse(text, files=files or no_files)
    except SettingsError as error:
        hint = "name one resource at a time, or correct what stands there in Azure"
        raise Failure("what is in Azure cannot be declared as it is", details=[str(fault) for fault in error.faults], hint=hint) from error


def _refuse_nothing(estate: "Estate", resource: str) -> None:
    if estate.accounts:
        return
    details = list(estate.unseen)
    if resource and estate.names:
        raise Failure(f"found no resource {resource!r} in Azure", details=details, hint=f"there are {', '.join(sorted(estate.names))}")
    raise Failure("found no Azure OpenAI resource", details=details, hint=READER_HINT)


def _tell_troubles(estate: "Estate") -> None:
    counted: dict[str, int] = {}
    for account in estate.accounts:
        for deployment in account.deployments:
            for each in deployment.troubles:
                counted[each.trouble] = counted.get(each.trouble, 0) + 1
    if counted:
        click.echo("; ".join(f"{count} {trouble}" for trouble, count in sorted(counted.items(), key=lambda each: -each[1])))
