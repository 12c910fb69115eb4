"""A provider that answers as a function says: for trying deployments without a network."""

from collections.abc import Callable

from changeover.ports.probing import ProbeAnswer, ProbeCall


class ScriptedProber:
    """``Prober``. ``answer`` may raise ``ProbeFailedError``; ``calls`` are all that were sent, with their time limits."""

    def __init__(self, answer: Callable[[ProbeCall], ProbeAnswer]) -> None:
        self.calls: list[ProbeCall] = []
        self.timeouts_s: list[float] = []
        self._answer = answer

    async def send(self, call: ProbeCall, *, timeout_s: float) -> ProbeAnswer:
        """See ``Prober``."""
        self.calls.append(call)
        self.timeouts_s.append(timeout_s)
        return self._answer(call)
