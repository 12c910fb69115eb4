"""``TokenSource`` through `azure-identity`, an optional part that is imported when the first token is asked for."""

import asyncio
import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from changeover.ports.credentials import INSTALL_HINT, Token, TokenError
from changeover.versions import EntraIdentity

if TYPE_CHECKING:
    from azure.core.credentials import AccessTokenInfo

CONNECT_S: Final = 10.0
READ_S: Final = 20.0
PROCESS_S: Final = 15
"""How long a command line tool may take to give its token."""
DETAIL_CHARACTERS_MAX: Final = 1500
AUTHORITY_VARIABLE: Final = "AZURE_AUTHORITY_HOST"

NOT_INSTALLED: Final = f"azure-identity is not installed; expected it for Entra ID: {INSTALL_HINT}"
NO_IDENTITY: Final = "no such identity is to be had here"
REFUSED: Final = "Entra ID gave no token"

# What looks like a token (base64url in dots), and what stands after a word that announces a secret.
_SECRETS: Final = re.compile(
    r"eyJ[\w-]+(?:\.[\w-]*)*|(?i:(?:token|secret|assertion|password|signature)[\"']?\s*[:=]\s*)[\"']?[^\s\"',}]{8,}"
)
_CHATTY: Final = ("azure", "msal", "urllib3")


class Credential(Protocol):
    """The part of `azure-identity`'s credentials that is used."""

    def get_token_info(self, *scopes: str) -> "AccessTokenInfo": ...

    def close(self) -> None: ...


class EntraTokens:
    """Every call makes a credential of its own, so that nothing is given from a cache, on a thread of its own.

    The library blocks; its asynchronous half would need one more HTTP client. A thread that never returns is left behind
    and holds up nothing, the end of the process neither. ``ca_file``: the CAs that are trusted instead of the library's.
    """

    def __init__(self, *, ca_file: str | None = None) -> None:
        self._options: dict[str, Any] = {"connection_timeout": CONNECT_S, "read_timeout": READ_S}
        if ca_file is not None:
            self._options["connection_verify"] = ca_file

    async def token(self, identity: EntraIdentity) -> Token:
        """See ``TokenSource``."""
        return await _on_a_thread(lambda: self.fetch(identity))

    def fetch(self, identity: EntraIdentity) -> Token:
        """The same for whoever may wait.

        Raises:
            TokenError: there is none.
        """
        try:
            from azure.core.exceptions import AzureError
            from azure.identity import CredentialUnavailableError
        except ImportError as error:
            raise TokenError(NOT_INSTALLED) from error
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what failed is told once, by whoever asks
        try:
            with contextlib.closing(_credential(identity, self._options)) as credential:
                info = credential.get_token_info(identity.scope)
            refresh_at = None if info.refresh_on is None else float(info.refresh_on)
            return Token(value=str(info.token), expires_at=float(info.expires_on), refresh_at=refresh_at)
        except (CredentialUnavailableError, OSError, ValueError) as error:
            # Without its cause: that may hold the answer, and so a token.
            raise TokenError(NO_IDENTITY, safe(str(error))) from None
        except (AzureError, LookupError, TypeError, AttributeError, RuntimeError) as error:
            raise TokenError(REFUSED, safe(str(error))) from None


def safe(text: str) -> str:
    """``text`` in one line of bounded length, without anything that looks like a token or a secret."""
    short = " ".join(_SECRETS.sub("(hidden)", text).split())
    return short if len(short) <= DETAIL_CHARACTERS_MAX else short[:DETAIL_CHARACTERS_MAX] + "..."


def _credential(identity: EntraIdentity, options: dict[str, Any]) -> Credential:
    """A credential as yet unused."""
    from azure import identity as azure

    client_id = identity.client_id or None
    match identity.method:
        case "managed":
            return azure.ManagedIdentityCredential(client_id=client_id, **options)
        case "workload":
            return azure.WorkloadIdentityCredential(client_id=client_id, **_authority(identity), **options)
        case "cli":
            return azure.AzureCliCredential(process_timeout=PROCESS_S)
        case "default":
            named = {"managed_identity_client_id": client_id} if client_id else {}
            return azure.DefaultAzureCredential(process_timeout=PROCESS_S, **named, **_authority(identity), **options)


def _authority(identity: EntraIdentity) -> dict[str, str]:
    """Where Entra ID is. What the environment says wins: a cluster's webhook writes it, and a private cloud has its own."""
    return {} if AUTHORITY_VARIABLE in os.environ or not identity.authority else {"authority": identity.authority}


async def _on_a_thread(work: Callable[[], Token]) -> Token:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[Token] = loop.create_future()

    def settle(outcome: Token | TokenError) -> None:
        if waiting.done():
            return
        if isinstance(outcome, Token):
            waiting.set_result(outcome)
        else:
            waiting.set_exception(outcome)

    def run() -> None:
        outcome: Token | TokenError = TokenError(REFUSED, "azure-identity failed in a way that is not known here")
        try:
            outcome = work()
        except TokenError as error:
            outcome = error
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=run, name="entra-token", daemon=True).start()
    return await waiting
