"""The options of every command that looks at Azure: which cloud, which part of it, and who asks."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Final, ParamSpec

import click
import msgspec

P = ParamSpec("P")
EVERYTHING: Final = "*"
"""What ``--azure`` without a name stands for."""
RESOURCE_EXPECTED: Final = "the name of a resource, of 2 to 64 letters, digits and . _ - (a letter or digit first), or nothing for all"
_RESOURCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,63}")


def resource_name(azure: str) -> str:
    """What ``--azure`` names; empty for everything.

    Raises:
        UsageError: no resource can have that name.
    """
    if azure == EVERYTHING:
        return ""
    if not _RESOURCE.fullmatch(azure):
        raise click.UsageError(f"--azure {azure!r} cannot be the name of a resource; expected {RESOURCE_EXPECTED}")
    return azure


class AzureLook(msgspec.Struct, frozen=True, kw_only=True):
    """How Azure is looked at. ``endpoint`` takes the place of the cloud's own Resource Manager."""

    subscription: str = ""
    identity: str = "default"
    client_id: str = ""
    cloud: str = "public"
    endpoint: str = ""
    observed: bool = False


def azure_access(function: Callable[Concatenate[AzureLook, P], None]) -> Callable[..., None]:
    """Give a command the options that say who asks and where, and an `AzureLook` as its first argument."""
    return _with_options(function, _ACCESS)


def azure_options(function: Callable[Concatenate[AzureLook, P], None]) -> Callable[..., None]:
    """The same for commands that look around, with what to look at."""
    return _with_options(function, (*_ACCESS, *_PART))


def _with_options(function: Callable[Concatenate[AzureLook, P], None], options: Sequence[Callable[..., Any]]) -> Callable[..., None]:
    @functools.wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        said: dict[str, Any] = {name: kwargs.pop(name) for name in AzureLook.__struct_fields__ if name in kwargs}
        function(AzureLook(**{name: value for name, value in said.items() if value is not None}), *args, **kwargs)

    for option in reversed(options):
        told = option(told)
    return told


_PART = (
    click.option("--subscription", metavar="ID", help="Look at this subscription only."),
    click.option("--observed", is_flag=True, help="Somebody else makes and changes these deployments: apply leaves them alone."),
)
_ACCESS = (
    click.option(
        "--identity",
        type=click.Choice(["default", "managed", "workload", "cli"]),
        default="default",
        show_default=True,
        help="Who asks Entra ID for the token.",
    ),
    click.option("--client-id", metavar="ID", help="Client id of a user-assigned identity."),
    click.option(
        "--cloud", type=click.Choice(["public", "usgov", "china"]), default="public", show_default=True, help="Which of Azure's clouds."
    ),
    click.option("--arm-endpoint", "endpoint", envvar="CHANGEOVER_ARM_ENDPOINT", hidden=True, help="Another address of Resource Manager."),
)
