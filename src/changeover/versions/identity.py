"""Is what answered what was pinned? Reads the names that an answer carries; what they do not say is no contradiction."""

import re
from typing import Final, Literal, NamedTuple

from changeover.versions.model import Account, AccountKind, Deployment

_JOINED: Final[frozenset[AccountKind]] = frozenset({"azure-openai", "openai", "anthropic"})
"""Providers that name an answer's model as ``name-version``. A compatible server's operator names models as they like."""

_DATED: Final = re.compile(r"(.+?)-(\d{4}-\d{2}-\d{2}|\d{8}|\d{3,4})(-preview)?")
"""A name that surely ends in a version: ``gpt-4o-2024-11-20``, ``claude-sonnet-4-5-20250929``, ``gpt-4-0125-preview``."""

_CLAUDE: Final = "claude-"
"""Anthropic's own names say their version, with a date or without: another one is another version."""
_DATE: Final = re.compile(r"\d{8}")
_VERSION: Final = re.compile(r"\d[\d.-]*(-preview)?")
"""What is a version when it stands right after the pinned model's own name."""


class Served(NamedTuple):
    """What an answer says of who gave it. ``deployment`` is Azure's ``x-ms-deployment-name``. Unsaid is ``None``."""

    model: str | None
    deployment: str | None = None


class Contradiction(NamedTuple):
    """``found`` is what answered, ``expected`` what the pin says. ``kind`` is ``deployment`` when another deployment
    answered (a spillover), else ``model``.
    """

    kind: Literal["model", "deployment"]
    found: str
    expected: str


def contradiction(served: Served, *, deployment: Deployment, account: Account) -> Contradiction | None:
    """How ``served`` contradicts the pin of ``deployment``; ``None`` when it does not, or does not say."""
    own = deployment.provider_name
    if account.kind == "azure-openai" and served.deployment and served.deployment.casefold() != own.casefold():
        return Contradiction("deployment", served.deployment, own)
    if served.model is None or not _names_another(served.model, deployment=deployment, kind=account.kind):
        return None
    return Contradiction("model", served.model, deployment.model.served_name)


def _names_another(served: str, *, deployment: Deployment, kind: AccountKind) -> bool:
    name, pinned = _plain(deployment.model.name), _plain(deployment.model.version)
    said = _plain(served)
    if said in (name, f"{name}-{pinned}", _plain(deployment.provider_name)):
        return False
    if said.startswith(f"{name}-"):
        version = said.removeprefix(f"{name}-")
        if _VERSION.fullmatch(version):
            # A date says nothing against a number: they are two ways to name one edition.
            numbered = kind == "anthropic" and deployment.model.is_numbered
            return version != pinned and not (numbered and _DATE.fullmatch(version))
    elif kind == "anthropic" and name.startswith(_CLAUDE):
        return said.startswith(_CLAUDE)
    if kind not in _JOINED:
        return False
    return _DATED.fullmatch(said) is not None


def _plain(name: str) -> str:
    """Azure writes ``gpt-35`` where OpenAI writes ``gpt-3.5``, and neither minds capitals."""
    return name.strip().casefold().replace("gpt-3.5", "gpt-35")
