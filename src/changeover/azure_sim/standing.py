"""How does a deployment stand just now? Its condition and what belongs to it, as ``PUT /sim/deployments/{name}`` says it."""

from typing import Final

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.stage import Condition, Method

SLOW_MS: Final = 1000.0
CUT_AFTER_PIECES: Final = 1


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said about a deployment replaces what was said before.

    - ``requests``: the condition holds for so many requests, then the deployment serves again; without, until the next word.
    - ``retry_after_ms`` and ``retry_after`` (seconds, or a date as HTTP writes it): the headers of the refusals 429 and 503,
      sent as given. Where neither is given, a 429 names one second.
    - ``delay_ms``: of ``slow``.
    - ``after_pieces``: how many pieces of a stream come before ``cut`` or ``error-in-200``; of a whole answer, ``cut`` sends
      half, and all of it but the last byte where this is 0.
    - ``served_model``: what answers carry as ``model`` from now on, with another fingerprint: a silent upgrade. With
      ``method`` the answers change as well.
    - ``spillover_to``: the deployment that answers where this one would say 429, 500 or 503.
    """

    condition: Condition = Condition.SERVING
    requests: int | None = None
    retry_after_ms: int | None = None
    retry_after: str | None = None
    delay_ms: float = SLOW_MS
    after_pieces: int = CUT_AFTER_PIECES
    served_model: str | None = None
    method: Method | None = None
    spillover_to: str | None = None

    def refusal(self, *, operation: str, model: str) -> RefusalError | None:
        """What the condition answers to ``operation`` (as Azure calls it) on ``model``; ``None`` where it gives an answer."""
        match self.condition:
            case Condition.LIMITED:
                return refusals.limited(self.retry_after_ms, retry_after=self.retry_after)
            case Condition.PAUSED:
                return refusals.paused()
            case Condition.RETIRED:
                return refusals.retired()
            case Condition.RETIRED_400:
                return refusals.wrong_operation(operation, model=model)
            case Condition.MISSING:
                return refusals.no_such_deployment()
            case Condition.FAILING:
                return refusals.failing()
            case Condition.UNAVAILABLE:
                return refusals.unavailable(self.retry_after_ms, retry_after=self.retry_after)
            case Condition.SERVING | Condition.SLOW | Condition.HANG | Condition.CUT | Condition.ERROR_IN_200:
                return None

    def next(self) -> "Standing":
        """The standing after one more request."""
        if self.requests is None:
            return self
        left = self.requests - 1
        return msgspec.structs.replace(self, requests=left) if left > 0 else Standing()


read_standing = msgspec.json.Decoder(Standing).decode
