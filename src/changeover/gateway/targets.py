"""How is each deployment called? Everything of a request to it that does not depend on the request, made once per table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from changeover.traffic.table import Route, RoutingTable, Side
from changeover.versions import Account, Deployment, SecretReference

SecretResolver = Callable[[SecretReference], str | None]
"""The secret behind a reference, ``None`` when there is none."""

AZURE_API_VERSION: Final = "2024-10-21"
_PORTS: Final = {"http": 80, "https": 443}
_FIXED_HEADERS: Final = "accept-encoding: identity\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One deployment as it is called.

    ``prefix`` is the request line and the fixed headers, the credential among them: never show it. ``model`` is what the
    body must say. ``fault``: why it cannot be called at all, in a sentence for the caller, with its code.
    """

    name: str
    host: str = ""
    port: int = 0
    tls: bool = False
    prefix: bytes = field(default=b"", repr=False)
    model: str = ""
    fault: tuple[str, str] | None = None

    @property
    def address(self) -> tuple[str, int, bool]:
        return self.host, self.port, self.tls


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTable:
    """A routing table with its targets, and the header lines that tag an answer by task and side."""

    table: RoutingTable
    targets: dict[str, Target]
    tags: dict[tuple[str, Side], bytes]


def prepare(table: RoutingTable, resolve: SecretResolver) -> PreparedTable:
    """Make ready to serve from ``table``. Raises nothing: what cannot be called gets a ``fault``."""
    targets = {name: _target(deployment, table.accounts[deployment.account], resolve) for name, deployment in table.deployments.items()}
    tags = {(task, side): _tag(table.revision, route, side) for task, route in table.routes.items() for side in Side}
    return PreparedTable(table=table, targets=targets, tags=tags)


def _target(deployment: Deployment, account: Account, resolve: SecretResolver) -> Target:
    try:
        url = urlsplit(account.endpoint)
        port = url.port or _PORTS[url.scheme]
    except (ValueError, KeyError):
        url, port = None, 0
    if url is None or not url.hostname:
        return _unusable(deployment, "endpoint_invalid", f"account {account.name}: its endpoint is not a URL with http or https and a host")
    if account.kind == "anthropic":
        return _unusable(deployment, "account_unsupported", f"account {account.name}: accounts of kind anthropic cannot be called yet")
    secret = _secret(account.auth, resolve)
    if secret is None:
        return _unusable(deployment, "secret_missing", _secret_fault(account))
    path, model = _path_and_model(deployment, account, url)
    lines = f"POST {path} HTTP/1.1\r\nhost: {url.netloc.rpartition('@')[2]}\r\n{_credential(account, secret)}{_FIXED_HEADERS}"
    return Target(name=deployment.name, host=url.hostname, port=port, tls=url.scheme == "https", prefix=lines.encode(), model=model)


def _unusable(deployment: Deployment, code: str, reason: str) -> Target:
    return Target(name=deployment.name, fault=(code, f"Deployment {deployment.name} cannot be called: {reason}."))


def _secret_fault(account: Account) -> str:
    return (
        f"account {account.name} takes its credential from {account.auth}, which is missing or not fit for a header; set it, then restart"
    )


def _secret(reference: SecretReference, resolve: SecretResolver) -> str | None:
    """The secret, empty when the account needs none, ``None`` when it is missing or would break out of its header."""
    if reference.source == "none":
        return ""
    secret = (resolve(reference) or "").strip()
    return secret if secret and secret.isascii() and secret.isprintable() else None


def _credential(account: Account, secret: str) -> str:
    if not secret:
        return ""
    return f"api-key: {secret}\r\n" if account.kind == "azure-openai" else f"authorization: Bearer {secret}\r\n"


def _path_and_model(deployment: Deployment, account: Account, url: SplitResult) -> tuple[str, str]:
    """The path to call, and the body's ``model``.

    Azure names the deployment in its path, and its body's ``model`` is said alike. OpenAI serves versions under their
    joined name (``gpt-4o-2024-11-20``). A compatible server serves whatever names its operator chose: there a deployment
    is declared under exactly that name.
    """
    base = url.path.rstrip("/")
    if account.kind == "azure-openai":
        name = quote(deployment.name, safe="")
        return f"{base}/openai/deployments/{name}/chat/completions?api-version={AZURE_API_VERSION}", deployment.name
    path = f"{base}/chat/completions" if base.endswith("/v1") else f"{base}/v1/chat/completions"
    return path, deployment.model.served_name if account.kind == "openai" else deployment.name


def _tag(revision: int, route: Route, side: Side) -> bytes:
    deployment = route.candidate if side is Side.CANDIDATE and route.candidate is not None else route.stable
    return (
        f"x-changeover-task: {_header_value(route.task)}\r\nx-changeover-side: {side.value}\r\n"
        f"x-changeover-deployment: {_header_value(deployment)}\r\nx-changeover-revision: {revision}\r\n"
    ).encode()


def _header_value(name: str) -> str:
    """``name`` as it stands when it is plain text, else percent-encoded."""
    return name if name.isascii() and name.isprintable() else quote(name, safe="")
