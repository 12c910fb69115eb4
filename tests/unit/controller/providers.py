"""Providers that refuse what they are told to refuse, and a trial of a deployment of theirs. No test runs here."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from changeover.adapters.memory import HandClock
from changeover.adapters.memory.prober import ScriptedProber
from changeover.controller.trial import Pace, Trial
from changeover.ports.probing import ProbeAnswer, ProbeCall
from changeover.versions import Account, Deployment, ModelVersion, RequestSettings, SecretReference
from changeover.wire.probe import Probe
from changeover.wire.surface import Surface

NAME = "gpt51-prod-v1113"
OK = ProbeAnswer(status=200, headers={}, body=b'{"choices":[]}')
ACCOUNT = Account(name="aoai", kind="azure-openai", endpoint="https://aoai.example", auth=SecretReference(source="none"))


def refusal(status: int, *, message: str = "", code: str | None = None, param: str | None = None, **headers: str) -> ProbeAnswer:
    body = msgspec.json.encode({"error": {"message": message, "code": code, "param": param, "type": "invalid_request_error"}})
    return ProbeAnswer(
        status=status, headers={name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}, body=body
    )


def unsupported(name: str, *, instead: str = "") -> ProbeAnswer:
    hint = f" Use '{instead}' instead." if instead else ""
    return refusal(400, message=f"Unsupported parameter: '{name}' is not supported.{hint}", code="unsupported_parameter", param=name)


def refusing(refused: Mapping[str, str]) -> Callable[[ProbeCall], ProbeAnswer]:
    """Refuses the first of ``refused`` that a request has; its value is the successor, or empty."""

    def answer(call: ProbeCall) -> ProbeAnswer:
        fields: dict[str, Any] = msgspec.json.decode(call.body)
        return next((unsupported(name, instead=instead) for name, instead in refused.items() if name in fields), OK)

    return answer


def chat(**more: object) -> Probe:
    return Probe(surface=Surface.CHAT, body={"messages": [{"role": "user", "content": "hello"}], **more})


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def tried(
    answer: Callable[[ProbeCall], ProbeAnswer],
    *probes: Probe,
    settings: RequestSettings | None = None,
    pace: Pace | None = None,
) -> tuple[Trial, ScriptedProber]:
    """The trial of ``probes``, run to its end."""
    prober = ScriptedProber(answer)
    deployment = Deployment(name=NAME, account="aoai", model=ModelVersion(name="gpt-5.1", version="2025-11-13"), request=settings)

    async def run() -> Trial:
        trial = Trial(
            deployment,
            ACCOUNT,
            probes,
            prober=prober,
            pace=pace or Pace(sleep=no_sleep),
            clock=HandClock(0.0),
            turns=asyncio.Semaphore(4),
            answered=lambda _: None,
        )
        return await trial.run()

    return asyncio.run(run()), prober


def bodies(prober: ScriptedProber) -> Sequence[dict[str, Any]]:
    return [msgspec.json.decode(call.body) for call in prober.calls]
