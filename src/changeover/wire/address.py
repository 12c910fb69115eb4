"""Where does a provider's account serve this? The path and the model's name of a request that goes on. Opens no connection."""

import re
from typing import Final
from urllib.parse import quote, urlsplit

from changeover.versions import API_V1, AZURE_API_VERSION, Account, Deployment
from changeover.wire.surface import Ask, Surface

_API_VERSION: Final = "api-version="
_FOUNDRY: Final = "/anthropic"
_DATED: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(?:-preview)?")
_UNDATED: Final = ("preview", "latest")
"""The values that Azure's undated form knows."""

_OF_ONE_DEPLOYMENT: Final = frozenset({Surface.CHAT, Surface.COMPLETIONS, Surface.EMBEDDINGS, Surface.IMAGES, Surface.AUDIO})
"""In Azure's dated form these stand under the deployment's path; of the others the body names it."""


def upstream_path(ask: Ask, *, account: Account, deployment: str | None) -> bytes:
    """Path and query at ``account`` for ``ask``, served by ``deployment`` (its name there; ``None`` when the request names
    none).

    Accounts that are not Azure OpenAI's have one form: ``/v1`` behind the endpoint's own path, which for Anthropic's API at
    an Azure resource is ``/anthropic``. The caller's query goes along, but for ``api-version``: in Azure's dated form the
    caller's own date counts where it is one, so that an application keeps the version it was written for; else the
    account's.
    """
    base = urlsplit(account.endpoint).path.rstrip("/")
    operation = ask.operation.decode("ascii")
    if account.kind != "azure-openai":
        root = base if base.endswith("/v1") else f"{base}/v1"
        return _with_query(root + operation, _other_parameters(ask.query))
    version, parameters = _caller_version(ask.query), _other_parameters(ask.query)
    root = base.removesuffix("/v1").removesuffix("/openai") + "/openai"
    if is_v1(account):
        versions = [_API_VERSION + version] if version in _UNDATED else []
        return _with_query(f"{root}/v1{operation}", [*parameters, *versions])
    date = version if version and _DATED.fullmatch(version) else account.api or AZURE_API_VERSION
    if deployment is not None and (ask.in_deployment or ask.surface in _OF_ONE_DEPLOYMENT) and ask.surface is not Surface.RESPONSES:
        root = f"{root}/deployments/{quote(deployment, safe='')}"
    return _with_query(root + operation, [*parameters, _API_VERSION + date])


def upstream_model(account: Account, deployment: Deployment) -> str:
    """What the body's ``model`` must say at ``account``.

    Azure wants the deployment's name, also where it serves Anthropic's models. OpenAI serves versions under their joined name
    (``gpt-4o-2024-11-20``), and so does Anthropic where a version is a date (``claude-sonnet-4-5-20250929``); its later
    models' names are versions themselves (``claude-opus-5``), to be declared as version 1. A compatible server serves
    whatever names its operator chose: there a deployment is declared under exactly that name.
    """
    model = deployment.model
    if account.kind == "openai":
        return model.served_name
    if account.kind == "anthropic" and not is_foundry(account):
        return model.name if model.is_numbered else model.served_name
    return deployment.provider_name


def is_foundry(account: Account) -> bool:
    """Whether an Azure resource serves Anthropic's API: told by the endpoint's path."""
    return urlsplit(account.endpoint).path.rstrip("/").removesuffix("/v1").endswith(_FOUNDRY)


def is_v1(account: Account) -> bool:
    """Whether Azure's undated form is used: the account says so, or its endpoint has that form."""
    return account.api == API_V1 or (not account.api and account.endpoint.endswith("/openai/v1"))


def _with_query(path: str, parameters: list[str]) -> bytes:
    return (f"{path}?{'&'.join(parameters)}" if parameters else path).encode("ascii")


def _caller_version(query: bytes) -> str | None:
    """The caller's ``api-version``, the last if it stands twice."""
    versions = [part.removeprefix(_API_VERSION) for part in query.decode("ascii").split("&") if part.startswith(_API_VERSION)]
    return versions[-1] if versions else None


def _other_parameters(query: bytes) -> list[str]:
    return [part for part in query.decode("ascii").split("&") if part and not part.startswith(_API_VERSION)]
