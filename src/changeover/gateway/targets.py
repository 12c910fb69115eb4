"""How is each deployment called? Everything of a request to it that does not depend on the request, made once per table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from changeover.gateway.egress import Egress, Proxy
from changeover.gateway.tokens import NOBODY, Bearer
from changeover.traffic.table import RoutingTable
from changeover.versions import Account, Deployment, EntraIdentity, RequestSettings, SecretReference
from changeover.wire.address import upstream_model, upstream_path
from changeover.wire.surface import Ask

SecretResolver = Callable[[SecretReference], str | None]
"""The secret behind a reference, ``None`` when there is none."""

BearerResolver = Callable[[EntraIdentity], Bearer]
"""The token that is held for an identity."""

TOKEN_AWAITED: Final = "entra_token_awaited"
"""The code of a fault that will be none in a moment: the first token of the account is on its way."""
TOKEN_MISSING: Final = "entra_token_missing"

KEPT_LINES_MAX: Final = 512
"""Request lines kept per deployment."""
KEPT_URL_BYTES_MAX: Final = 256

_PORTS: Final = {"http": 80, "https": 443}
_FIXED_HEADERS: Final = "accept-encoding: identity\r\n"
_MESSAGES_VERSION: Final = (b"anthropic-version", b"anthropic-version: 2023-06-01\r\n")
"""Anthropic's API refuses requests that name no version of it. Its SDKs always do; for a caller that does not, the older of the
two that there are takes all that the other takes, and more.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One deployment as it is called, or a whole account (then ``deployment`` is ``None``).

    ``fixed`` are the headers of every request, the credential among them: never show it. ``model`` is what the body must
    say, ``None`` where it stays as it is. ``fault``: why it cannot be called at all, in a sentence for the caller, with its
    code. ``proxy``: through whom it is reached.
    """

    name: str
    host: str = ""
    port: int = 0
    tls: bool = False
    fixed: bytes = field(default=b"", repr=False)
    model: str | None = None
    account: Account | None = None
    deployment: str | None = None
    settings: RequestSettings | None = None
    unless_said: tuple[bytes, bytes] | None = None
    """A header, by its name and as a whole line, for requests whose caller sends none of that name."""
    proxy: Proxy | None = None
    origin: str = ""
    """Before the path in a request line for a proxy."""
    fault: tuple[str, str] | None = None
    _kept: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes], repr=False, compare=False)

    @property
    def address(self) -> tuple[str, int, bool, Proxy | None]:
        return self.host, self.port, self.tls, self.proxy

    def prefix(self, method: bytes, url: bytes, ask: Ask) -> bytes:
        """The request line and the fixed headers for a caller's ``method`` and ``url``, which asks for ``ask``."""
        key = method + url
        prefix = self._kept.get(key)
        if prefix is None:
            assert self.account is not None, "a target with a fault is not called"
            path = upstream_path(ask, account=self.account, deployment=self.deployment)
            prefix = b"%b %b%b HTTP/1.1\r\n%b" % (method, self.origin.encode(), path, self.fixed)
            if len(key) <= KEPT_URL_BYTES_MAX and len(self._kept) < KEPT_LINES_MAX:
                self._kept[key] = prefix
        return prefix


class Keys(NamedTuple):
    """Where credentials are found."""

    secret: SecretResolver
    bearer: BearerResolver


class _Missing(NamedTuple):
    """There is no credential: a short code, and why, in the middle of a sentence for the caller."""

    code: str
    reason: str


def _nobody(identity: EntraIdentity) -> Bearer:  # noqa: ARG001 - nobody is asked
    return NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTable:
    """A routing table with its targets. ``unrouted`` is who gets what no task claims."""

    table: RoutingTable
    targets: dict[str, Target]
    unrouted: Target | None = None


def prepare(
    table: RoutingTable, resolve: SecretResolver, egress: Egress | None = None, bearer: BearerResolver | None = None
) -> PreparedTable:
    """Make ready to serve from ``table``. Raises nothing: what cannot be called gets a ``fault``. Without ``bearer`` no
    account can have a token.
    """
    way = egress or Egress()
    keys = Keys(resolve, bearer or _nobody)
    targets = {name: _target(table.accounts[deployment.account], deployment, keys, way) for name, deployment in table.deployments.items()}
    account = None if table.unrouted_account is None else table.accounts[table.unrouted_account]
    return PreparedTable(table=table, targets=targets, unrouted=None if account is None else _target(account, None, keys, way))


def identities_of(table: RoutingTable, resolve: SecretResolver) -> set[EntraIdentity]:
    """Who needs tokens to serve from ``table``: an account that has a key does not."""
    found = {identity_of(account.auth, resolve) for account in table.accounts.values()}
    return {identity for identity in found if identity is not None}


def identity_of(reference: SecretReference, resolve: SecretResolver) -> EntraIdentity | None:
    """Who gets a token in place of a key; ``None`` where there is a key, or has to be one."""
    if reference.entra is None or (reference.source == "env" and (resolve(reference) or "").strip()):
        return None
    return reference.entra


def _target(account: Account, deployment: Deployment | None, keys: Keys, egress: Egress) -> Target:
    name = account.name if deployment is None else deployment.name
    who = f"Account {name}" if deployment is None else f"Deployment {name}"
    try:
        url = urlsplit(account.endpoint)
        usual = _PORTS[url.scheme]
        port = url.port or usual
    except (ValueError, KeyError):
        url, port = None, 0
    if url is None or not url.hostname:
        reason = f"account {account.name}: its endpoint is not a URL with http or https and a host"
        return _unusable(name, "endpoint_invalid", f"{who} cannot be called: {reason}.")
    credential = _credential(account, keys)
    if isinstance(credential, _Missing):
        return _unusable(name, credential.code, f"{who} cannot be called: {credential.reason}.")
    return _usable(name, account, deployment, url, port, credential, egress)


def _usable(  # noqa: PLR0913 - the parts of one record
    name: str, account: Account, deployment: Deployment | None, url: SplitResult, port: int, credential: str, egress: Egress
) -> Target:
    host = url.hostname or ""
    tls = url.scheme == "https"
    netloc = url.netloc.rpartition("@")[2]
    proxy = egress.proxy_for(host, port, tls=tls)
    plainly = proxy is not None and not tls
    authorization = proxy.authorization if proxy is not None and plainly else ""
    return Target(
        name=name,
        host=host,
        port=port,
        tls=tls,
        fixed=f"host: {netloc}\r\n{credential}{authorization}{_FIXED_HEADERS}".encode(),
        model=None if deployment is None else upstream_model(account, deployment),
        account=account,
        deployment=None if deployment is None else deployment.provider_name,
        settings=None if deployment is None else deployment.request,
        unless_said=_MESSAGES_VERSION if account.kind == "anthropic" else None,
        proxy=proxy,
        origin=f"http://{netloc}" if plainly else "",
    )


def _unusable(name: str, code: str, message: str) -> Target:
    return Target(name=name, fault=(code, message))


def _credential(account: Account, keys: Keys) -> str | _Missing:
    """The header line that carries the account's credential, empty where it needs none."""
    identity = identity_of(account.auth, keys.secret)
    if identity is None:
        secret = _secret(account.auth, keys.secret)
        return _Missing("secret_missing", _secret_fault(account)) if secret is None else _key_line(account, secret)
    bearer = keys.bearer(identity)
    if bearer.token is not None:
        return f"authorization: Bearer {bearer.token}\r\n"
    no_key = "" if account.auth.source == "entra" else f" and {account.auth} is not set"
    reason = f"account {account.name} has no token from {identity} ({bearer.reason}){no_key}"
    return _Missing(TOKEN_AWAITED if bearer.awaited else TOKEN_MISSING, reason)


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


def _key_line(account: Account, secret: str) -> str:
    if not secret:
        return ""
    if account.kind == "anthropic":
        return f"x-api-key: {secret}\r\n"
    return f"api-key: {secret}\r\n" if account.kind == "azure-openai" else f"authorization: Bearer {secret}\r\n"
