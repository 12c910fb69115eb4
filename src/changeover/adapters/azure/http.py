"""One request to Resource Manager: with a token, again when it is busy, page by page, never to another host."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final, NamedTuple, Self, cast
from urllib.parse import urlsplit

import httpx2
import msgspec

from changeover.adapters.azure.clouds import ArmCloud
from changeover.ports.clock import Clock
from changeover.ports.cloud import CloudError
from changeover.ports.credentials import Token, TokenError, TokenSource
from changeover.versions import EntraIdentity

API_VERSION: Final = "2026-09-01"
"""The newest stable one of the provider that holds models."""
CONNECT_S: Final = 10.0
ANSWER_S: Final = 60.0
TRIES_MAX: Final = 10
SILENCES_MAX: Final = 5
"""So often without any answer: nobody is there."""
BACKOFF_S: Final = 1.0
BACKOFF_S_MAX: Final = 30.0
RETRY_AFTER_S_MAX: Final = 120.0
TOKEN_LEFT_S: Final = 120.0
"""A token that lives no longer than this is not used again."""
PAGES_MAX: Final = 1000
MESSAGE_CHARACTERS_MAX: Final = 600

_AGAIN: Final = frozenset({408, 409, 429, 500, 502, 503, 504})
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
"""Of a write: another one is under way. Of a read: something is not as it should be, and will not be by itself."""
_BAD: Final = 400

Json = dict[str, object]
Sleep = Callable[[float], Awaitable[None]]


class Answer(NamedTuple):
    """``body`` is empty where there was none. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Json

    def header(self, *names: str) -> str:
        return next((self.headers[name] for name in names if self.headers.get(name)), "")


class _Failure(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Envelope(msgspec.Struct, frozen=True):
    error: _Failure = _Failure()


class ArmHttp:
    """An open connection to one cloud, to be closed. ``sleep`` waits; tests give one that does not. ``transport`` takes the
    place of the network.
    """

    def __init__(  # noqa: PLR0913 - the parts of one client
        self,
        cloud: ArmCloud,
        identity: EntraIdentity,
        tokens: TokenSource,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        sleep: Sleep = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._base = cloud.endpoint
        self._identity = identity
        self._tokens = tokens
        self._clock = clock
        self._sleep = sleep
        self._token: Token | None = None
        self._turn = asyncio.Lock()
        self._client = httpx2.AsyncClient(
            verify=tls or ssl.create_default_context(),
            timeout=httpx2.Timeout(ANSWER_S, connect=CONNECT_S),
            follow_redirects=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._client.aclose()

    async def get(self, path: str, *, api_version: str = API_VERSION, **query: str) -> Json:
        return (await self.send("GET", path, api_version=api_version, query=query)).body

    async def get_all(self, path: str, *, api_version: str = API_VERSION, **query: str) -> list[Json]:
        """Every entry of a list, over all its pages."""
        found: list[Json] = []
        page = await self.get(path, api_version=api_version, **query)
        for _ in range(PAGES_MAX):
            found += cast("list[Json]", page.get("value") or [])
            link = page.get("nextLink")
            if not isinstance(link, str) or not link:
                return found
            page = (await self.send("GET", link)).body
        raise CloudError("unreadable", f"a list at {path} has more than {PAGES_MAX} pages")

    async def send(
        self, method: str, path: str, *, body: object = None, api_version: str = API_VERSION, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Send it, again where that may help: every call made here may be repeated. ``path`` may be a whole address of this cloud.

        Raises:
            CloudError: it was refused, or there was no answer.
        """
        url = self._url(path)
        params = None if "://" in path else {"api-version": api_version, **(query or {})}
        trouble = CloudError("busy", f"{method} {_place(url)} was not tried")
        silences = 0
        for attempt in range(TRIES_MAX):
            try:
                answer = await self._exchange(method, url, params, body)
            except (httpx2.TransportError, ssl.SSLError) as error:
                trouble = CloudError("unreachable", f"no answer from {_host(url)}: {str(error) or type(error).__name__}")
                silences += 1
                if silences == SILENCES_MAX:
                    raise trouble from None
                await self._sleep(_backoff(attempt))
                continue
            if answer.status < _BAD:
                return answer
            if answer.status == _UNAUTHORIZED and attempt == 0:
                self._token = None
                continue
            trouble = _refusal(method, url, answer)
            if answer.status not in _AGAIN or (method, answer.status) == ("GET", _CONFLICT):
                raise trouble
            await self._sleep(self.pause_of(answer, usual=_backoff(attempt)))
        raise trouble

    async def wait(self, seconds: float) -> None:
        await self._sleep(seconds)

    def pause_of(self, answer: Answer, *, usual: float) -> float:
        """How long the service asks to be left alone."""
        said = answer.header("retry-after")
        try:
            seconds = float(said)
        except ValueError:
            seconds = self._until(said)
        return min(seconds, RETRY_AFTER_S_MAX) if seconds > 0 else usual

    def _until(self, date: str) -> float:
        try:
            return parsedate_to_datetime(date).timestamp() - self._clock.now()
        except (TypeError, ValueError):
            return 0.0

    async def _exchange(self, method: str, url: str, params: dict[str, str] | None, body: object) -> Answer:
        token = await self._bearer()
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["content-type"] = "application/json"
        got = await self._client.request(method, url, params=params, headers=headers, content=content)
        return Answer(
            got.status_code, {name.lower(): value for name, value in got.headers.items()}, _body(url, got.status_code, got.content)
        )

    async def _bearer(self) -> str:
        async with self._turn:
            kept = self._token
            if kept is None or kept.expires_at - self._clock.now() <= TOKEN_LEFT_S:
                try:
                    kept = self._token = await self._tokens.token(self._identity)
                except TokenError as error:
                    # Tried one after another, all of them have something to say; one alone says what matters.
                    several = self._identity.method == "default"
                    raise CloudError("no-token", error.brief if several else str(error)) from None
            return kept.value

    def _url(self, path: str) -> str:
        """A token is sent to this cloud's own host and to nobody whom an answer names."""
        if "://" not in path:
            return self._base + path
        own, other = urlsplit(self._base), urlsplit(path)
        if (own.scheme, own.netloc.lower()) != (other.scheme, other.netloc.lower()):
            raise CloudError("unreadable", f"the service points to {_host(path)}, which is not {own.netloc}; nothing is sent there")
        return path


def _body(url: str, status: int, content: bytes) -> Json:
    if not content.strip():
        return {}
    try:
        found = msgspec.json.decode(content)
    except msgspec.DecodeError:
        if status >= _BAD:
            return {}
        raise CloudError("unreadable", f"{_place(url)} answered with something that is no JSON") from None
    return cast("Json", found) if isinstance(found, dict) else {"value": found}


def _refusal(method: str, url: str, answer: Answer) -> CloudError:
    try:
        failure = msgspec.convert(answer.body, _Envelope, strict=False).error
    except msgspec.ValidationError:
        failure = _Failure()
    said = " ".join(f"{failure.code or 'no code'}: {failure.message or 'no message'}".split())[:MESSAGE_CHARACTERS_MAX]
    message = f"{method} {_place(url)} was answered with {answer.status}, {said}"
    match answer.status:
        case code if code in _AGAIN:
            return CloudError("busy", f"{message}; tried {TRIES_MAX} times", code=failure.code)
        case code if code in (_UNAUTHORIZED, _FORBIDDEN):
            return CloudError("forbidden", message, code=failure.code)
        case code if code == _NOT_FOUND:
            return CloudError("missing", message, code=failure.code)
        case _:
            return CloudError("refused", message, code=failure.code)


def _backoff(attempt: int) -> float:
    return min(BACKOFF_S * 2.0**attempt, BACKOFF_S_MAX)


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _place(url: str) -> str:
    """A path without its query: links to further pages may carry a signature."""
    return urlsplit(url).path
