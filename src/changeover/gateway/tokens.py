"""Which tokens do we hold? Fetched ahead of their end and off the request path; an old one serves until it has ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final, NamedTuple

from changeover.ports.clock import Clock
from changeover.ports.credentials import Token, TokenError, TokenSource
from changeover.versions import EntraIdentity

AHEAD_S: Final = 600.0
"""A token is renewed so long before it ends, or a fifth of its life where that is shorter."""
LIFE_SHARE: Final = 0.2
RETRY_FIRST_S: Final = 2.0
RETRY_MAX_S: Final = 60.0
FETCH_S: Final = 60.0
"""How long an answer is waited for."""
LOOK_S: Final = 30.0
"""The longest sleep: machines are suspended and clocks are set."""
LOOK_MIN_S: Final = 0.05
EXPIRED: Final = "its token has expired, and no newer one could be had"
TOO_LATE: Final = f"no answer within {FETCH_S:g} s"
STALE: Final = "a token came that has expired already; is the clock of this machine right?"
UNFIT: Final = "a token came that no header may carry"

_log: Final = logging.getLogger(__name__)


class Bearer(NamedTuple):
    """What is held for an identity: ``token``, or the ``reason`` why there is none. ``awaited``: the first is on its way."""

    token: str | None
    reason: str = ""
    awaited: bool = False


AWAITED: Final = Bearer(None, "its first token is on its way", awaited=True)


NOBODY: Final = Bearer(None, "nobody is asked for tokens here")


class Renewal:
    """One identity's token as time goes by. ``step`` does what is due now and is cancelled at any time."""

    def __init__(self, identity: EntraIdentity, source: TokenSource, clock: Clock) -> None:
        self.bearer = AWAITED
        self._identity = identity
        self._source = source
        self._clock = clock
        self._token: Token | None = None
        self._due_at = float("-inf")
        self._pause_s = RETRY_FIRST_S
        self._failing = False

    @property
    def sleep_s(self) -> float:
        """How long nothing is due."""
        until_at = self._due_at if self._token is None else min(self._due_at, self._token.expires_at)
        return min(LOOK_S, max(LOOK_MIN_S, until_at - self._clock.now()))

    async def step(self) -> bool:
        """Do what is due. Returns whether ``bearer`` is another one now."""
        before = self.bearer
        now = self._clock.now()
        if now >= self._due_at:
            await self._fetch(now)
        self._drop_expired(self._clock.now())
        return self.bearer != before

    async def _fetch(self, now: float) -> None:
        left_s = FETCH_S if self._token is None else max(LOOK_MIN_S, self._token.expires_at - now)
        try:
            async with asyncio.timeout(min(FETCH_S, left_s)):
                token = await self._source.token(self._identity)
            _refuse_unfit(token, self._clock.now())
        except TimeoutError:
            self._failed(TokenError(TOO_LATE))
        except TokenError as error:
            self._failed(error)
        else:
            self._take(token)

    def _take(self, token: Token) -> None:
        if self._failing:
            _log.info("%s: tokens are to be had again", self._identity)
        self._failing, self._pause_s = False, RETRY_FIRST_S
        self._token, self.bearer = token, Bearer(token.value)
        self._due_at = renew_at(token, self._clock.now())

    def _failed(self, error: TokenError) -> None:
        """One line for a row of failures. What is held goes on serving."""
        self._due_at = self._clock.now() + self._pause_s
        self._pause_s = min(RETRY_MAX_S, self._pause_s * 2)
        if not self._failing:
            kept = "the present one serves until it expires" if self._token is not None else "its accounts cannot be called"
            _log.error("%s: found no new token (%s); %s, and it is asked for again", self._identity, error, kept)
        self._failing = True
        if self._token is None:
            self.bearer = Bearer(None, error.brief)

    def _drop_expired(self, now: float) -> None:
        if self._token is not None and now >= self._token.expires_at:
            self._token, self.bearer = None, Bearer(None, EXPIRED)
            _log.error("%s: %s; its accounts cannot be called until there is one", self._identity, EXPIRED)


class TokenKeeper:
    """Keeps a token for each identity that ``follow`` names. ``bearer`` is read on the request path; ``on_change`` is called
    whenever it says something else than before.
    """

    def __init__(self, source: TokenSource | None, clock: Clock, *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._renewals: dict[EntraIdentity, Renewal] = {}
        self._tasks: dict[EntraIdentity, asyncio.Task[None]] = {}

    def bearer(self, identity: EntraIdentity) -> Bearer:
        """What is held for ``identity``."""
        if self._source is None:
            return NOBODY
        renewal = self._renewals.get(identity)
        return AWAITED if renewal is None else renewal.bearer

    def follow(self, identities: Collection[EntraIdentity]) -> None:
        """Keep tokens for ``identities`` from now on, and for no others."""
        for gone in self._tasks.keys() - set(identities):
            self._tasks.pop(gone).cancel()
            del self._renewals[gone]
        if self._source is None:
            return
        for new in set(identities) - self._tasks.keys():
            renewal = self._renewals[new] = Renewal(new, self._source, self._clock)
            self._tasks[new] = asyncio.get_running_loop().create_task(self._run(renewal))

    async def close(self) -> None:
        """Keep nothing any more."""
        tasks = tuple(self._tasks.values())
        self.follow(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, renewal: Renewal) -> None:
        while True:
            if await renewal.step():
                self.on_change()
            await self._sleep(renewal.sleep_s)


def renew_at(token: Token, now: float) -> float:
    """When to ask for the next token: when its issuer says so, else some time before its end. Who keeps a token may give
    it again, past its hour too, so there is always a pause.
    """
    left_s = token.expires_at - now
    ahead_at = token.expires_at - min(AHEAD_S, left_s * LIFE_SHARE)
    wanted_at = ahead_at if token.refresh_at is None else min(token.refresh_at, ahead_at)
    return max(wanted_at, now + min(RETRY_MAX_S, left_s * LIFE_SHARE))


def _refuse_unfit(token: Token, now: float) -> None:
    value = token.value
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise TokenError(UNFIT)
    if token.expires_at <= now:
        raise TokenError(STALE)
