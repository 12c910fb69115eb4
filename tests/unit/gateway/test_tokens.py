"""Tokens over time: renewed ahead, kept while they last, and gone when they have ended."""

import asyncio
import logging
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changeover.adapters.credentials import MemoryTokens
from changeover.adapters.memory import HandClock
from changeover.gateway.tokens import (
    AHEAD_S,
    EXPIRED,
    FETCH_S,
    LOOK_S,
    RETRY_FIRST_S,
    RETRY_MAX_S,
    STALE,
    UNFIT,
    Bearer,
    Renewal,
    TokenKeeper,
    renew_at,
)
from changeover.ports.credentials import Token, TokenError
from changeover.versions import EntraIdentity

ME = EntraIdentity(method="managed", scope="https://cognitiveservices.azure.com/.default")
NOBODY = TokenError("no such identity is to be had here", "IMDS did not answer")
START = 1_800_000_000.0


def token(number: int, *, ends: float, refresh: float | None = None) -> Token:
    """Times from the start."""
    return Token(value=f"t{number}", expires_at=START + ends, refresh_at=None if refresh is None else START + refresh)


class Time:
    """A renewal whose clock the test moves."""

    def __init__(self, *answers: Token | TokenError) -> None:
        self.clock = HandClock(START)
        self.source = MemoryTokens(*answers)
        self.renewal = Renewal(ME, self.source, self.clock)

    def at(self, second: float) -> Bearer:
        """What is held at that time, having done what was due then."""
        self.clock.set(START + second)
        asyncio.run(self.renewal.step())
        return self.renewal.bearer

    @property
    def asked(self) -> int:
        return len(self.source.asked)


def test_before_the_first_token_there_is_none_and_it_is_awaited() -> None:
    assert Time(token(1, ends=3600)).renewal.bearer.awaited


def test_a_token_is_renewed_ten_minutes_before_it_ends() -> None:
    time = Time(token(1, ends=3600), token(2, ends=7200))
    assert [time.at(0).token, time.at(3600 - AHEAD_S - 1).token, time.at(3600 - AHEAD_S).token] == ["t1", "t1", "t2"]
    assert time.asked == 2


def test_a_short_token_is_renewed_after_four_fifths_of_its_life() -> None:
    time = Time(token(1, ends=100), token(2, ends=200))
    assert [time.at(0).token, time.at(79).token, time.at(80).token] == ["t1", "t1", "t2"]


def test_the_issuers_own_wish_comes_first() -> None:
    time = Time(token(1, ends=86_400, refresh=43_200), token(2, ends=172_800))
    assert [time.at(0).token, time.at(43_199).token, time.at(43_200).token] == ["t1", "t1", "t2"]


def test_a_source_that_gives_the_same_token_again_is_not_asked_without_a_pause() -> None:
    kept = token(1, ends=3600, refresh=-1)
    time = Time(kept)
    for second in range(300):
        assert time.at(second).token == "t1"
    assert time.asked == 300 // RETRY_MAX_S


def test_a_failing_renewal_keeps_the_token_until_it_ends_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    time = Time(token(1, ends=3600), NOBODY)
    for second in (0, *range(3000, 3600, 10)):
        assert time.at(second) == Bearer("t1")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "entra:managed: found no new token" in caplog.text
    assert "IMDS did not answer" in caplog.text
    assert time.at(3600) == Bearer(None, EXPIRED)
    assert "expired" in caplog.records[-1].getMessage()
    time.source.answers.clear()
    time.source.answers.append(token(3, ends=9000))
    assert time.at(3600 + RETRY_MAX_S).token == "t3"
    assert "tokens are to be had again" in caplog.text


def test_failures_are_repeated_with_longer_and_longer_pauses() -> None:
    time = Time(NOBODY)
    asked_at: list[int] = []
    for second in range(300):
        before = time.asked
        time.at(second)
        asked_at += [second] * (time.asked - before)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[:6] == [RETRY_FIRST_S, 4, 8, 16, 32, RETRY_MAX_S]
    assert set(pauses[6:]) == {RETRY_MAX_S}


@pytest.mark.parametrize("value", ["", "two words", "a\nb", "\u00fc", "a\x00b"])
def test_what_no_header_may_carry_is_no_token(value: str) -> None:
    assert Time(Token(value=value, expires_at=START + 60)).at(0) == Bearer(None, UNFIT)


def test_a_token_that_has_ended_when_it_comes_is_none() -> None:
    assert Time(token(1, ends=-1)).at(0) == Bearer(None, STALE)


def test_the_reason_that_callers_are_told_has_no_details() -> None:
    assert Time(NOBODY).at(0).reason == "no such identity is to be had here"


def test_a_source_that_hangs_is_not_waited_for_beyond_the_end_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Impatient:
        def __init__(self, seconds: float) -> None:
            waited.append(seconds)

        async def __aenter__(self) -> None:
            raise TimeoutError

        async def __aexit__(self, *_: object) -> None: ...

    time = Time(token(1, ends=3600), token(2, ends=7200))
    time.at(0)
    monkeypatch.setattr("changeover.gateway.tokens.asyncio.timeout", Impatient)
    time.at(3000)
    time.at(3590)
    assert waited == [FETCH_S, 10.0]


@given(st.floats(min_value=0.5, max_value=1e6), st.none() | st.floats(min_value=-1e6, max_value=1e6))
def test_a_renewal_comes_before_the_end_and_never_at_once(life_s: float, refresh_s: float | None) -> None:
    at = renew_at(token(1, ends=life_s, refresh=refresh_s), START) - START
    assert 0 < at < life_s + 1e-3


@given(st.floats(min_value=0.5, max_value=1e6), st.floats(min_value=0, max_value=1e6))
def test_nobody_sleeps_longer_than_a_look(life_s: float, later_s: float) -> None:
    time = Time(token(1, ends=life_s))
    time.at(0)
    time.clock.set(START + later_s)
    assert 0 < time.renewal.sleep_s <= LOOK_S


# Several identities


def keeping(story: Callable[[TokenKeeper, MemoryTokens, list[str | None]], object]) -> None:
    async def run() -> None:
        source = MemoryTokens(token(1, ends=3600))
        keeper = TokenKeeper(source, HandClock(START))
        seen: list[str | None] = []
        keeper.on_change = lambda: seen.append(keeper.bearer(ME).token)
        outcome = story(keeper, source, seen)
        assert asyncio.iscoroutine(outcome)
        await outcome
        await keeper.close()

    asyncio.run(asyncio.wait_for(run(), 5.0))


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_whoever_follows_is_told_of_the_first_token() -> None:
    async def story(keeper: TokenKeeper, source: MemoryTokens, seen: list[str | None]) -> None:
        keeper.follow({ME})
        assert keeper.bearer(ME).awaited
        await turns()
        assert (seen, len(source.asked)) == (["t1"], 1)
        keeper.follow({ME})
        await turns()
        assert len(source.asked) == 1, "the same again changes nothing"

    keeping(story)


def test_an_identity_that_nobody_needs_any_more_is_forgotten() -> None:
    async def story(keeper: TokenKeeper, source: MemoryTokens, seen: list[str | None]) -> None:
        keeper.follow({ME})
        await turns()
        keeper.follow(())
        keeper.follow({ME})
        assert keeper.bearer(ME).awaited
        await turns()
        assert (seen, len(source.asked)) == (["t1", "t1"], 2)

    keeping(story)


def test_an_identity_that_hangs_holds_up_no_other() -> None:
    other = EntraIdentity(method="cli", scope="https://ai.azure.com/.default")

    async def story(keeper: TokenKeeper, source: MemoryTokens, seen: list[str | None]) -> None:
        source.gate.clear()
        keeper.follow({ME})
        await turns()
        source.gate = asyncio.Event()
        source.gate.set()
        keeper.follow({ME, other})
        await turns()
        assert keeper.bearer(ME).awaited
        assert (keeper.bearer(other).token, seen) == ("t1", [None])

    keeping(story)


def test_without_a_source_nobody_is_asked() -> None:
    keeper = TokenKeeper(None, HandClock(START))
    keeper.follow({ME})
    assert keeper.bearer(ME).token is None
    assert not keeper.bearer(ME).awaited
