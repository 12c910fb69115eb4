"""``Destination`` over HTTP: one signed POST. Redirects are not followed, and nothing of an answer but its status is used.

Addresses are declared by whoever runs the control plane, so they may lead anywhere, this machine included. None comes from a
caller of ours.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import httpx2

from changeover.adapters.alerts.cloud_event import MEDIA_TYPE, event_body
from changeover.adapters.alerts.signature import SecretFormError, signed_headers, signing_key
from changeover.ports.alerts import AlertFailedError, Message
from changeover.settings.declared_alert import DeclaredAlert
from changeover.versions import SecretReference

TIMEOUT_S: Final = 20.0
CONNECT_S: Final = 10.0
RETRY_AFTER_S_MAX: Final = 3600.0
GONE: Final = 410

_SUCCESS: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)

Resolve = Callable[[SecretReference], str | None]


class WebhookDestination:
    """See ``Destination``. ``resolve`` finds secrets at the moment of need; ``tls`` says whose certificates are trusted."""

    def __init__(self, declared: DeclaredAlert, *, resolve: Resolve, tls: ssl.SSLContext | None = None) -> None:
        self._declared = declared
        self._resolve = resolve
        self._tls = tls

    @property
    def name(self) -> str:
        """See ``Destination``."""
        return self._declared.name

    @property
    def topics(self) -> Sequence[str]:
        """See ``Destination``."""
        return self._declared.topics

    @property
    def link(self) -> str | None:
        """See ``Destination``."""
        return self._declared.link

    def fault(self) -> str:
        """What would keep every message from it, as far as that is known without calling it; empty when nothing does."""
        try:
            self._address()
            self._key()
        except AlertFailedError as error:
            return error.problem
        return ""

    async def send(self, message: Message, *, now: float) -> None:
        """See ``Destination``."""
        url, key = self._address(), self._key()
        body = event_body(message)
        headers = {"content-type": MEDIA_TYPE, **signed_headers(key, message_id=message.id, timestamp=int(now), body=body)}
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._client() as client,
                client.stream("POST", url, headers=headers, content=body) as answer,
            ):
                _expect_success(answer)
        except (TimeoutError, httpx2.TimeoutException):
            raise AlertFailedError(f"it did not answer within {TIMEOUT_S:g} s") from None
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            # Only the kind of the error: its words may hold the address, which is a secret.
            raise AlertFailedError(f"it cannot be reached ({type(error).__name__})") from None

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            verify=self._tls or ssl.create_default_context(),
            timeout=httpx2.Timeout(None, connect=CONNECT_S),
            follow_redirects=False,
        )

    def _address(self) -> str:
        target = self._declared.target
        url = (self._resolve(target) or "").strip()
        if not url:
            raise AlertFailedError(f"found nothing in {target}; expected the address of the webhook")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isprintable()
        except ValueError:
            usable = False
        if not usable:
            raise AlertFailedError(f"found no address in {target}; expected one that begins with https:// or http://")
        return url

    def _key(self) -> bytes | None:
        reference = self._declared.secret
        if reference is None:
            return None
        secret = self._resolve(reference)
        if not secret:
            raise AlertFailedError(f"found nothing in {reference}; expected the signing secret, whsec_ and base64")
        try:
            return signing_key(secret)
        except SecretFormError as error:
            raise AlertFailedError(f"the signing secret in {reference} cannot be used: {error}") from None


def _expect_success(answer: httpx2.Response) -> None:
    status = answer.status_code
    if status in _SUCCESS:
        return
    if status in _REDIRECT:
        raise AlertFailedError(f"it answered {status}, and redirects are not followed; name the address that it leads to")
    raise AlertFailedError(f"it answered {status}", retry_after_s=_retry_after(answer.headers.get("retry-after", "")), final=status == GONE)


def _retry_after(text: str) -> float | None:
    """Seconds, as far as the header says seconds; a date is left to our own schedule."""
    return min(float(text), RETRY_AFTER_S_MAX) if text.isascii() and text.isdigit() else None
