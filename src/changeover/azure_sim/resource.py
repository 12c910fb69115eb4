"""What does this resource answer? Deployments with their state: condition, rate limits, texts already read, the dice of latency."""

import hashlib
import math
import random
import time
from collections.abc import Callable
from typing import Final

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.allowance import Allowance
from changeover.azure_sim.chat_request import ChatRequest
from changeover.azure_sim.shapes import Answer
from changeover.azure_sim.stage import REQUESTS_PER_CAPACITY, TOKENS_PER_CAPACITY, Condition, Method, Stage, StagedDeployment
from changeover.azure_sim.summarisers import Summariser, first_sentence, first_sentence_compressed, last_sentence, textrank
from changeover.azure_sim.tokens import cut_to_tokens, modelled_prompt_tokens, modelled_tokens

SUMMARISERS: Final[dict[Method, Summariser]] = {
    "first-sentence": first_sentence,
    "first-sentence-compressed": first_sentence_compressed,
    "textrank": textrank,
    "last-sentence": last_sentence,
}
WORDS_PER_PIECE: Final = 4
"""How many words one delta of a stream carries."""
REMEMBERED_TEXTS_MAX: Final = 5000


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """An answer and its modelled times: to the first token, and for each later piece, in seconds."""

    answer: Answer
    first_token_s: float
    per_piece_s: float

    @property
    def whole_s(self) -> float:
        return self.first_token_s + self.per_piece_s * (len(self.answer.pieces) - 1)


class Served:
    """One deployment while it stands on the stage. ``condition`` may be changed at any time."""

    def __init__(self, declared: StagedDeployment, *, now: float) -> None:
        self.declared = declared
        self.condition = declared.condition
        self.fingerprint = "fp_" + hashlib.blake2b(declared.served_model.encode(), digest_size=5).hexdigest()
        self.allowance = Allowance(
            requests_per_minute=declared.capacity * REQUESTS_PER_CAPACITY,
            tokens_per_minute=declared.capacity * TOKENS_PER_CAPACITY,
            now=now,
        )
        self._summaries: dict[str, str] = {}

    def summarise(self, document: str) -> str:
        """The version's summary; texts come again and again, so the last few thousand are remembered."""
        summary = self._summaries.get(document)
        if summary is None:
            if len(self._summaries) >= REMEMBERED_TEXTS_MAX:
                self._summaries.clear()
            summary = self._summaries[document] = SUMMARISERS[self.declared.method](document)
        return summary

    def check_condition(self) -> None:
        """Raises the refusal of the present condition, if it has one."""
        match self.condition:
            case Condition.SERVING:
                return
            case Condition.LIMITED:
                raise refusals.limited()
            case Condition.PAUSED:
                raise refusals.paused()
            case Condition.RETIRED:
                raise refusals.retired()
            case Condition.FAILING:
                raise refusals.failing()


class Resource:
    """The resource behind one endpoint. ``key`` is accepted as API key and as bearer token; ``seed`` fixes latencies and ids."""

    def __init__(self, stage: Stage, *, key: str, seed: int = 0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.stage = stage
        self._accepted = (key, f"Bearer {key}")
        self._dice = random.Random(seed)  # noqa: S311 - latency and identifiers, no secret
        self._monotonic = monotonic
        self.deployments = {declared.name: Served(declared, now=monotonic()) for declared in stage.deployments}

    def authorise(self, *, api_key: str | None, authorization: str | None) -> None:
        if api_key != self._accepted[0] and authorization != self._accepted[1]:
            raise refusals.unauthorised()

    def deployment(self, name: str) -> Served:
        served = self.deployments.get(name)
        if served is None:
            raise refusals.no_such_deployment()
        return served

    def token(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._dice.getrandbits(128):032x}"

    def plan(self, served: Served, request: ChatRequest) -> Planned:
        """The answer to ``request`` and how long it takes. Raises ``RefusalError``."""
        served.check_condition()
        document = request.document
        if not document:
            raise refusals.malformed("expected a user message with the text to summarise", param="messages")
        if request.n not in {None, 1}:
            raise refusals.malformed(f"found n = {request.n}; this deployment gives one answer", param="n")
        answer = self._answer(served, request, summary=served.summarise(document))
        wait_ms = served.allowance.take(answer.prompt_tokens + answer.completion_tokens, now=self._monotonic())
        if wait_ms:
            raise refusals.limited(wait_ms)
        return self._timed(served, answer)

    def _answer(self, served: Served, request: ChatRequest, *, summary: str) -> Answer:
        text = cut_to_tokens(summary, request.tokens_max)
        return Answer(
            id=f"chatcmpl-{self.token()}",
            created=int(time.time()),
            model=served.declared.served_model,
            fingerprint=served.fingerprint,
            pieces=_pieces(text),
            finish_reason="stop" if text == summary else "length",
            prompt_tokens=modelled_prompt_tokens(request),
            completion_tokens=modelled_tokens(text),
        )

    def _timed(self, served: Served, answer: Answer) -> Planned:
        latency = served.declared.latency
        factor = math.exp(self._dice.gauss(0.0, latency.spread)) / 1000
        later_tokens = max(0, answer.completion_tokens - 1)
        return Planned(
            answer=answer,
            first_token_s=latency.first_token_ms * factor,
            per_piece_s=latency.per_token_ms * factor * later_tokens / max(1, len(answer.pieces) - 1),
        )


def _pieces(text: str) -> tuple[str, ...]:
    """``text`` in pieces of a few words; joined they are ``text`` again."""
    tokens = text.split(" ")
    groups = [" ".join(tokens[start : start + WORDS_PER_PIECE]) for start in range(0, len(tokens), WORDS_PER_PIECE)]
    return (groups[0], *(f" {group}" for group in groups[1:]))
