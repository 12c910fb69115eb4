"""How is what was adopted written? As a new commented file, or as lines added to one that keeps its own words."""

from typing import Final, NamedTuple, cast

import yaml

from changeover.settings.adopting import AdoptedDeployment, Adoption
from changeover.settings.written_file import Entry, deployment_entry
from changeover.versions import Account

HEADER: Final = """\
# changeover.yaml, written from what is in Azure. Every deployment's own name is a task that it serves alone, so an
# application changes its endpoint and nothing else. `changeover check` names every fault; keys are never written here.
version: 1
"""
UPGRADE_NOTE: Final = """\
  # A deployment without `upgrade` is declared pinned (NoAutoUpgrade). Lines below say where Azure has it otherwise today.
"""
AUTH_NOTE: Final = """\
  # Several accounts have several keys: they are called with tokens of Entra ID. Where one has a key: auth: {env: NAME}.
"""
SECTIONS: Final = ("accounts", "deployments", "tasks")
_WIDE: Final = 100_000


class NotInBlockFormError(ValueError):
    """A section is written in braces, or is not there, so that no line can be added to it. The message says which."""


class _Place(NamedTuple):
    """After which line (from 0), and how far in, the next entry of a section stands."""

    line: int
    indent: int


def new_file(adoption: Adoption) -> str:
    """The text of a whole file."""
    several = len(adoption.accounts) > 1
    lines = _sections(adoption, indent=2, several=several)
    body = [HEADER]
    for section in SECTIONS:
        notes = {"accounts": AUTH_NOTE if several else "", "deployments": UPGRADE_NOTE}.get(section, "")
        body.append(f"\n{section}:\n{notes}" + "".join(lines[section]))
    body.append("\n# gateway: {unrouted: refuse}         # what no task claims is refused; or {account: NAME}: passed on unchanged\n")
    return "".join(body)


def added_to(text: str, adoption: Adoption) -> str:
    """``text`` with the new entries at the ends of its sections. Nothing else of it changes, but that deployments which left out
    the only account there was now name it.

    Raises:
        NotInBlockFormError: a section cannot be added to.
    """
    if adoption.accounts:
        text = _with_account_named(text)
    places = _places(text)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for section in sorted(SECTIONS, key=lambda name: -places[name].line):
        place = places[section]
        lines[place.line + 1 : place.line + 1] = _sections(adoption, indent=place.indent, several=True)[section]
    return "".join(lines)


def _sections(adoption: Adoption, *, indent: int, several: bool) -> dict[str, list[str]]:
    """With ``several`` accounts a key that all of them share is not the usual thing."""
    pad = " " * indent
    return {
        "accounts": [f"{pad}{each.name}: {_flow(_account(each, several=several))}\n" for each in adoption.accounts],
        "deployments": [line for each in adoption.deployments for line in _deployment_lines(each, pad)],
        "tasks": [f"{pad}{_key(each.task)}: {_flow({'stable': each.deployment.name})}\n" for each in adoption.deployments if each.task],
    }


def _account(account: Account, *, several: bool) -> Entry:
    entry: Entry = {"kind": account.kind, "endpoint": account.endpoint}
    if account.subscription:
        entry |= {"subscription": account.subscription, "resource_group": account.resource_group}
    return entry | ({"auth": {"entra": "default"}} if several else {})


def _deployment_lines(adopted: AdoptedDeployment, pad: str) -> list[str]:
    entry = deployment_entry(adopted.deployment)
    if adopted.deployment.environment == "prod":
        del entry["environment"]
    troubles = [f"{pad}# {each.found}\n" for each in adopted.surveyed.troubles]
    return [*troubles, f"{pad}{_key(adopted.deployment.name)}: {_flow(entry)}\n"]


def _flow(value: Entry) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=_WIDE)).strip()


def _key(name: str) -> str:
    """A name such as ``on`` or ``123`` needs no quotes: keys are text here; but what YAML would take for something else gets them."""
    return str(yaml.safe_dump(name, default_flow_style=True, width=_WIDE)).splitlines()[0].strip()


def _with_account_named(text: str) -> str:
    """The only account is the default as long as it is the only one."""
    sections = {str(key.value): value for key, value in _entries(yaml.compose(text, Loader=yaml.SafeLoader))}
    accounts = _entries(sections.get("accounts"))
    if len(accounts) != 1:
        return text
    name = str(accounts[0][0].value)
    for _, entry in reversed(_entries(sections.get("deployments"))):
        keys = _entries(entry)
        if not keys or any(key.value == "account" for key, _ in keys):
            continue
        first = keys[0][0].start_mark
        between = ", " if cast("yaml.MappingNode", entry).flow_style else "\n" + " " * first.column
        text = f"{text[: first.index]}account: {_key(name)}{between}{text[first.index :]}"
    return text


def _entries(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return cast("list[tuple[yaml.Node, yaml.Node]]", node.value) if isinstance(node, yaml.MappingNode) else []


def _places(text: str) -> dict[str, _Place]:
    found: dict[str, _Place] = {}
    for key, value in _entries(yaml.compose(text, Loader=yaml.SafeLoader)):
        if key.value in SECTIONS and isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
            first = _entries(value)[0][0]
            found[str(key.value)] = _Place(_last_line(value), first.start_mark.column)
    for section in SECTIONS:
        if section not in found:
            raise NotInBlockFormError(f"{section}: is not written one entry a line")
    return found


def _last_line(node: yaml.Node) -> int:
    """The line on which ``node`` ends. A block's own end lies behind the comments that follow it; its last leaf's does not."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = cast("list[object]", node.value)[-1]
        node = cast("tuple[yaml.Node, yaml.Node]", last)[1] if isinstance(last, tuple) else cast("yaml.Node", last)
    mark = node.end_mark
    return mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line
