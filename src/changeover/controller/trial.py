"""What does one deployment say to these requests? Sent in rounds: what it refuses is mended, and asked again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from changeover.ports.clock import Clock
from changeover.ports.probing import ProbeAnswer, ProbeCall, ProbeFailedError, Prober
from changeover.rollout.preflight import Unsupported, Unverified
from changeover.versions import Account, Deployment, RequestSettings
from changeover.wire.address import upstream_model
from changeover.wire.failure import Failure, FailureKind, classify
from changeover.wire.mending import Mend, mend_for, mended, refused_parameter
from changeover.wire.probe import Probe
from changeover.wire.request import read_request, rewrite_request

ERROR_CHARS_MAX: Final = 400
VALUE_CHARS_MAX: Final = 60
"""How much is shown of a provider's error, and of a value."""

_TASK: Final = "preflight"
_FILTERED: Final = FailureKind.CONTENT_FILTER
_PASSING: Final = frozenset({FailureKind.LIMITED, FailureKind.NOT_READY, FailureKind.PROVIDER_FAULT})
"""Failures that may be gone in a moment."""
_OF_ALL: Final = frozenset({FailureKind.MISSING, FailureKind.RETIRED, FailureKind.PAUSED, FailureKind.AUTH})
"""Failures that every other request would meet too."""
_REASONS: Final[Mapping[FailureKind, tuple[str, str]]] = {
    FailureKind.MISSING: ("there is no such deployment", "check its name and its account; a new one may need some minutes"),
    FailureKind.RETIRED: ("its model version is retired", "name a candidate whose version is served"),
    FailureKind.PAUSED: ("it is paused", "resume it with the provider"),
    FailureKind.AUTH: ("its account's credential is not accepted", "check the account's auth and the rights behind it"),
    FailureKind.LIMITED: ("it is out of quota for now", "start again in a minute, or give it more capacity"),
    FailureKind.NOT_READY: ("it is not ready yet", "start again in some minutes"),
    FailureKind.PROVIDER_FAULT: ("the provider failed", "start again in a moment"),
}
_ANSWERED: Final = frozenset({FailureKind.ANSWER, _FILTERED})
_EVENT: Final = b"data:"
_ERROR: Final = b'"error"'
_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOO_SHORT: Final = "max_tokens or model output limit was reached"
"""How a version that thinks says that its limit left no room for an answer: it took all parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long and how often. ``wait_max_s`` bounds the patience with a deployment that wants to be asked later."""

    request_s: float = 30.0
    whole_s: float = 120.0
    requests_max: int = 150
    repeats: int = 2
    wait_s: float = 1.0
    wait_max_s: float = 8.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class _Refused(NamedTuple):
    """A parameter that the deployment does not take, in the value that was sent."""

    probe: Probe
    parameter: str
    value: msgspec.Raw
    error: str


@dataclass(slots=True)
class _State:
    settings: RequestSettings
    unsupported: dict[str, Unsupported] = field(default_factory=dict[str, Unsupported])
    unverified: dict[str, Unverified] = field(default_factory=dict[str, Unverified])
    mends: set[Mend] = field(default_factory=set[Mend])
    sent: int = 0
    hopeless: bool = False


class Trial:
    """Tries one deployment with ``probes``. Afterwards its findings stand in ``unsupported``, ``unverified``, ``settings``."""

    def __init__(  # noqa: PLR0913 - the deployment, its requests, and all that it needs of the world
        self,
        deployment: Deployment,
        account: Account,
        probes: Sequence[Probe],
        *,
        prober: Prober,
        pace: Pace,
        clock: Clock,
        turns: asyncio.Semaphore,
        answered: Callable[[str], None],
    ) -> None:
        self._deployment = deployment
        self._account = account
        self._probes = probes
        self._prober = prober
        self._pace = pace
        self._clock = clock
        self._turns = turns
        self._answered = answered
        self._state = _State(settings=deployment.request or RequestSettings())

    @property
    def unsupported(self) -> tuple[Unsupported, ...]:
        return tuple(self._state.unsupported.values())

    @property
    def unverified(self) -> tuple[Unverified, ...]:
        return tuple(self._state.unverified.values())

    @property
    def settings(self) -> RequestSettings:
        """The deployment's own, with every mend in them."""
        return self._state.settings

    async def run(self) -> "Trial":
        """Try until every probe is taken under the same settings, or nothing more can be learnt."""
        try:
            async with asyncio.timeout(self._pace.whole_s):
                await self._rounds()
        except TimeoutError:
            self._give_up(f"it had not answered everything after {self._pace.whole_s:g} s", "start again when it is faster")
        return self

    async def _rounds(self) -> None:
        taken: dict[int, RequestSettings] = {}
        given_up: set[int] = set()
        while not self._state.hopeless:
            settings = self._state.settings
            open_ = [at for at in range(len(self._probes)) if at not in given_up and taken.get(at) != settings]
            refused_last = [at for at in open_ if at not in taken]
            pending = refused_last or open_  # those taken under earlier settings are asked once more in the end
            if not pending:
                return
            answers = await asyncio.gather(*(self._try(self._probes[at], settings) for at in pending))
            mended_now: set[str] = set()
            for at, refused in zip(pending, answers, strict=True):
                if refused is None:
                    taken[at] = settings
                elif refused.parameter in mended_now or self._mend(refused):
                    mended_now.add(refused.parameter)
                    taken.pop(at, None)
                else:
                    given_up.add(at)

    async def _try(self, probe: Probe, settings: RequestSettings) -> _Refused | None:
        """Send a probe; what is wrong besides a refused parameter is noted."""
        call, fields = self._call(probe, settings)
        for repeat in range(self._pace.repeats + 1):
            answer = await self._send(call)
            if answer is None:
                return None
            failure = _failure(answer, self._clock.now())
            if failure.kind in _ANSWERED or _TOO_SHORT in failure.message:
                return None
            parameter = refused_parameter(answer.status, answer.body, failure, sent=fields)
            if parameter is not None:
                return _Refused(probe, parameter, fields[parameter], failure.message)
            if failure.kind not in _PASSING or repeat == self._pace.repeats:
                self._note(answer.status, failure, probe)
                return None
            await self._pace.sleep(min(failure.retry_after_s or self._pace.wait_s, self._pace.wait_max_s))
        return None

    def _call(self, probe: Probe, settings: RequestSettings) -> tuple[ProbeCall, dict[str, msgspec.Raw]]:
        """The request as the gateway would send it, and its parameters."""
        request = read_request(probe.surface, msgspec.json.encode(probe.body), path_task=_TASK)
        body = rewrite_request(request, model=upstream_model(self._account, self._deployment), settings=settings)
        call = ProbeCall(deployment=self._deployment, account=self._account, ask=probe.ask, body=body)
        return call, _FIELDS.decode(body)

    async def _send(self, call: ProbeCall) -> ProbeAnswer | None:
        async with self._turns:
            if self._state.hopeless:
                return None
            if self._state.sent >= self._pace.requests_max:
                self._give_up(f"it refused more than {self._pace.requests_max} requests could find out", "")
                return None
            self._state.sent += 1
            try:
                answer = await self._prober.send(call, timeout_s=self._pace.request_s)
            except ProbeFailedError as error:
                self._give_up(str(error), "check its account and the way there" if error.kind == "unreachable" else "")
                return None
            self._answered(f"{self._deployment.name}: {call.ask.surface} answered with {answer.status}")
            return answer

    def _mend(self, refused: _Refused) -> bool:
        """Note a refused parameter, and mend it for the next round; whether there is a mend that was not tried yet."""
        state, parameter = self._state, refused.parameter
        value = msgspec.json.decode(refused.value)
        mend = mend_for(parameter, surface=refused.probe.surface, message=refused.error, value=value, settings=state.settings)
        if mend.how == "set" and len({probe.surface for probe in self._probes}) > 1:
            mend = Mend(parameter, "drop")  # what is set is set on every surface, and they name things differently
        helps = mend.how != "none" and mend not in state.mends
        state.mends.add(mend)
        known = state.unsupported.get(parameter)
        if known is None or not helps:
            state.unsupported[parameter] = Unsupported(
                deployment=self._deployment.name,
                parameter=parameter,
                value=_shown(bytes(refused.value).decode(errors="replace"), VALUE_CHARS_MAX),
                error=_shown(refused.error, ERROR_CHARS_MAX),
                setting=mend.setting if helps else None,
            )
        if helps:
            state.settings = mended(state.settings, mend)
        return helps

    def _note(self, status: int, failure: Failure, probe: Probe) -> None:
        reason, hint = _REASONS.get(failure.kind, ("", ""))
        if not reason:
            said = _shown(failure.message, ERROR_CHARS_MAX) or "nothing about why"
            names = ", ".join(probe.names)
            reason, hint = (
                f'it refuses a {probe.surface} request with {names}, and says "{said}"',
                "see what it wants and change the request",
            )
        elif failure.kind is not FailureKind.AUTH and failure.message:  # what is said of a credential may show a part of it
            reason = f'{reason}: "{_shown(failure.message, ERROR_CHARS_MAX)}"'
        self._state.unverified.setdefault(reason, Unverified(deployment=self._deployment.name, reason=reason, hint=hint, status=status))
        self._state.hopeless = self._state.hopeless or failure.kind in _OF_ALL

    def _give_up(self, reason: str, hint: str) -> None:
        self._state.unverified.setdefault(reason, Unverified(deployment=self._deployment.name, reason=reason, hint=hint))
        self._state.hopeless = True


def _failure(answer: ProbeAnswer, now: float) -> Failure:
    """The class of an answer, also where a stream began well and then says an error."""
    failure = classify(answer.status, answer.body, answer.headers, now=now)
    if failure.kind is not FailureKind.ANSWER:
        return failure
    for line in answer.body.splitlines():
        if line.startswith(_EVENT) and _ERROR in line:
            late = classify(answer.status, line.removeprefix(_EVENT).strip(), answer.headers, now=now)
            if late.kind is not FailureKind.ANSWER:
                return late
    return failure


def _shown(text: str, most: int) -> str:
    """One printable line of bounded length: it is somebody else's text."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= most else f"{line[: most - 3]}..."
