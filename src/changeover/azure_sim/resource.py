"""What does this resource answer? Deployments with their state: standing, rate limits, texts already read, the dice of latency."""

import hashlib
import math
import random
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from changeover.azure_sim import refusals
from changeover.azure_sim.allowance import Allowance, Limits
from changeover.azure_sim.answer import Answer, Finish, Vectors
from changeover.azure_sim.embedding import DIMENSIONS, embed
from changeover.azure_sim.embedding_request import OPERATION as EMBEDDINGS
from changeover.azure_sim.embedding_request import EmbeddingRequest
from changeover.azure_sim.files_shelf import FilesShelf
from changeover.azure_sim.form_filling import fill_in
from changeover.azure_sim.prompt import Prompt
from changeover.azure_sim.reasoning import reasoning_tokens, refusal_of
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.responses_shelf import ResponsesShelf
from changeover.azure_sim.stage import (
    EMBEDDING_METHOD,
    REQUESTS_PER_CAPACITY,
    TOKENS_PER_CAPACITY,
    Condition,
    Method,
    Stage,
    StagedDeployment,
)
from changeover.azure_sim.standing import Standing
from changeover.azure_sim.summarisers import Summariser, first_sentence, first_sentence_compressed, last_sentence, textrank
from changeover.azure_sim.tokens import cut_to_tokens, modelled_tokens

SUMMARISERS: Final[dict[Method, Summariser]] = {
    "first-sentence": first_sentence,
    "first-sentence-compressed": first_sentence_compressed,
    "textrank": textrank,
    "last-sentence": last_sentence,
}
WORDS_PER_PIECE: Final = 4
"""How many words one delta of a stream carries."""
REMEMBERED_TEXTS_MAX: Final = 5000
SPILLING_STATUSES: Final = frozenset({429, 500, 503})
"""Refusals that another deployment may make good."""
_COMPLETION: Final = "completion"

Result = TypeVar("Result", Answer, Vectors)


class Served:
    """One deployment while it stands on the stage. ``condition`` and ``standing`` may be changed at any time.

    ``ruling``: what the control plane has made of it, paused or retired; it comes before everything planted. ``spillover_to`` is what it
    says of spillover.
    """

    def __init__(self, declared: StagedDeployment, *, now: float, limits: Limits | None = None) -> None:
        self.declared = declared
        self.standing = Standing(condition=declared.condition)
        self.ruling: Condition | None = None
        self.spillover_to: str | None = None
        self.received = 0
        self._limits = limits or _standard_limits(declared)
        self.allowance = _allowance(self._limits, now=now)
        self._summaries: dict[tuple[Method, str], str] = {}

    @property
    def condition(self) -> Condition:
        return self.standing.condition

    @condition.setter
    def condition(self, condition: Condition) -> None:
        self.standing = Standing(condition=condition)

    @property
    def model(self) -> str:
        """What answers carry as ``model``: the declared version, unless it was changed silently."""
        return self.standing.served_model or self.declared.served_model

    @property
    def fingerprint(self) -> str:
        return "fp_" + hashlib.blake2b(self.model.encode(), digest_size=5).hexdigest()

    @property
    def method(self) -> Method:
        return self.standing.method or self.declared.method

    def stand(self, standing: Standing) -> None:
        """Raises ``RefusalError`` for a method that answers in another kind than the deployment's own."""
        if standing.method is not None and (standing.method == EMBEDDING_METHOD) != self.declared.embeds:
            raise refusals.malformed(f"found method {standing.method}; texts and vectors cannot take each other's place", param="method")
        self.standing = standing

    def redeclare(self, declared: StagedDeployment, limits: Limits, *, now: float) -> None:
        """Another version, capacity or behaviour from now on. Buckets are filled anew where the limits change."""
        self.declared = declared
        if limits != self._limits:
            self._limits = limits
            self.allowance = _allowance(limits, now=now)

    def turn(self) -> Standing:
        """The standing that one more request meets."""
        self.received += 1
        if self.ruling is not None:
            return Standing(condition=self.ruling)
        standing, self.standing = self.standing, self.standing.next()
        return standing

    def summarise(self, document: str) -> str:
        """The version's summary; texts come again and again, so the last few thousand are remembered."""
        known = (self.method, document)
        summary = self._summaries.get(known)
        if summary is None:
            if len(self._summaries) >= REMEMBERED_TEXTS_MAX:
                self._summaries.clear()
            summary = self._summaries[known] = SUMMARISERS[self.method](document)
        return summary


class Planned(msgspec.Struct, Generic[Result], frozen=True, kw_only=True):
    """An answer, who gives it, and its modelled times: to the first token, and for each later piece, in seconds.

    ``spilled_from``: the deployment that was asked.
    """

    answer: Result
    served: Served
    standing: Standing
    first_token_s: float
    per_piece_s: float
    spilled_from: str | None = None

    @property
    def whole_s(self) -> float:
        return self.first_token_s + self.per_piece_s * (len(self.answer.pieces) - 1)


class Resource:
    """The resource behind one endpoint. ``key`` is accepted as API key and as bearer token, and so is a bearer token that
    ``is_token`` accepts; ``seed`` fixes latencies and ids.
    """

    def __init__(
        self,
        stage: Stage,
        *,
        key: str,
        seed: int = 0,
        monotonic: Callable[[], float] = time.monotonic,
        is_token: Callable[[str], bool] | None = None,
    ) -> None:
        self.stage = stage
        self._accepted = (key, f"Bearer {key}")
        self._is_token = is_token
        self._dice = random.Random(seed)  # noqa: S311 - latency and identifiers, no secret
        self._monotonic = monotonic
        self.responses = ResponsesShelf()
        self.files = FilesShelf()
        self.deployments = {declared.name: Served(declared, now=monotonic()) for declared in stage.deployments}

    def authorise(self, *, api_key: str | None, authorization: str | None) -> None:
        if api_key == self._accepted[0] or authorization == self._accepted[1]:
            return
        if authorization is None or self._is_token is None or not self._is_token(authorization):
            raise refusals.unauthorised()

    def stand(
        self, declared: StagedDeployment, limits: Limits, *, ruling: Condition | None = None, spillover_to: str | None = None
    ) -> None:
        """Put a deployment up, or change it while it stands: what was planted for it stays."""
        served = self.deployments.get(declared.name)
        if served is None:
            served = self.deployments[declared.name] = Served(declared, now=self._monotonic(), limits=limits)
        served.redeclare(declared, limits, now=self._monotonic())
        served.ruling = ruling
        served.spillover_to = spillover_to

    def take_down(self, name: str) -> None:
        self.deployments.pop(name, None)

    def deployment(self, name: str) -> Served:
        served = self.deployments.get(name)
        if served is None:
            raise refusals.no_such_deployment()
        return served

    def token(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._dice.getrandbits(128):032x}"

    def plan(self, name: str, prompt: Prompt, *, spillover_to: str | None = None) -> Planned[Answer]:
        """The answer to ``prompt`` and how long it takes. ``spillover_to``: who may answer instead. Raises ``RefusalError``."""
        return self._planned(name, prompt.operation, lambda served: self._answer(served, prompt), spillover_to=spillover_to)

    def embed(self, name: str, request: EmbeddingRequest, *, spillover_to: str | None = None) -> Planned[Vectors]:
        """The same with vectors."""
        return self._planned(name, EMBEDDINGS, lambda served: _vectors(served, request), spillover_to=spillover_to)

    def _planned(self, name: str, operation: str, serve: Callable[[Served], Result], *, spillover_to: str | None) -> Planned[Result]:
        served = self.deployment(name)
        standing = served.turn()
        try:
            return self._admitted(served, standing, operation, serve)
        except RefusalError as refusal:
            other = self.deployments.get(standing.spillover_to or spillover_to or served.spillover_to or "")
            if other is None or refusal.status not in SPILLING_STATUSES:
                raise
        try:
            planned = self._admitted(other, other.turn(), operation, serve)
        except RefusalError as refusal:
            refusal.headers |= {"x-ms-spillover-from-deployment": name, "x-ms-spillover-error": str(refusal.status)}
            raise
        return msgspec.structs.replace(planned, spilled_from=name)

    def _admitted(self, served: Served, standing: Standing, operation: str, serve: Callable[[Served], Result]) -> Planned[Result]:
        refusal = standing.refusal(operation=operation, model=served.declared.model)
        if refusal is not None:
            raise refusal
        if (operation == EMBEDDINGS) != served.declared.embeds or (operation == _COMPLETION and served.declared.reasoning):
            raise refusals.wrong_operation(operation, model=served.declared.model)
        answer = serve(served)
        wait_ms = served.allowance.take(answer.tokens, now=self._monotonic())
        if wait_ms:
            raise refusals.limited(wait_ms)
        return self._timed(served, standing, answer)

    def _answer(self, served: Served, prompt: Prompt) -> Answer:
        refusal = refusal_of(prompt, reasoning=served.declared.reasoning)
        if refusal is not None:
            raise refusal
        if prompt.settings.get("n", 1) != 1:
            raise refusals.malformed(f"found n = {prompt.settings['n']}; this deployment gives one answer", param="n")
        if prompt.marks.block_prompt:
            raise refusals.filtered_prompt(prompt.marks.prompt_results())
        thought = reasoning_tokens(prompt) if served.declared.reasoning else 0
        text, finish = _said(served, prompt, thought=thought)
        return Answer(
            token=self.token(),
            created=int(time.time()),
            model=served.model,
            fingerprint=served.fingerprint,
            pieces=_pieces(text),
            finish=finish,
            prompt_tokens=prompt.tokens,
            completion_tokens=min(thought, prompt.tokens_max or thought) + modelled_tokens(text),
            reasoning_tokens=min(thought, prompt.tokens_max or thought),
            marks=prompt.marks,
            form=prompt.form,
        )

    def _timed(self, served: Served, standing: Standing, answer: Result) -> Planned[Result]:
        latency = served.declared.latency
        factor = math.exp(self._dice.gauss(0.0, latency.spread)) / 1000
        thought, later = (answer.reasoning_tokens, answer.completion_tokens) if isinstance(answer, Answer) else (0, 0)
        later_tokens = max(0, later - thought - 1)
        slow_ms = standing.delay_ms if standing.condition is Condition.SLOW else 0.0
        return Planned(
            answer=answer,
            served=served,
            standing=standing,
            first_token_s=(latency.first_token_ms + latency.per_token_ms * thought) * factor + slow_ms / 1000,
            per_piece_s=latency.per_token_ms * factor * later_tokens / max(1, len(answer.pieces) - 1),
        )


def _standard_limits(declared: StagedDeployment) -> Limits:
    return Limits(declared.capacity * REQUESTS_PER_CAPACITY, declared.capacity * TOKENS_PER_CAPACITY)


def _allowance(limits: Limits, *, now: float) -> Allowance:
    requests, tokens, shown = limits
    return Allowance(requests_per_minute=requests, tokens_per_minute=tokens, now=now, shown=shown)


def _said(served: Served, prompt: Prompt, *, thought: int) -> tuple[str, Finish]:
    """What a version says, and why it ends there. Thinking takes its part of the tokens first."""
    summary = served.summarise(prompt.document)
    form = prompt.form
    whole = summary if form is None else fill_in(form.schema, document=prompt.document, summary=summary)
    left = None if prompt.tokens_max is None else max(0, prompt.tokens_max - thought)
    text = cut_to_tokens(whole, left)
    if prompt.marks.block_completion:
        return text, Finish.FILTER
    if text != whole:
        return text, Finish.LENGTH
    return text, Finish.TOOL if form is not None and form.tool is not None and not form.by_name else Finish.STOP


def _vectors(served: Served, request: EmbeddingRequest) -> Vectors:
    texts, marks = request.texts(), request.marks()
    if marks.block_prompt:
        raise refusals.filtered_prompt(marks.prompt_results())
    dimensions = DIMENSIONS if request.dimensions is None else request.dimensions
    if not 0 < dimensions <= DIMENSIONS:
        raise refusals.malformed(f"found dimensions = {dimensions}; expected 1 to {DIMENSIONS}", param="dimensions")
    return Vectors(
        model=served.model,
        vectors=tuple(tuple(embed(text, dimensions=dimensions)) for text in texts),
        as_base64=request.encoding_format == "base64",
        tokens=request.tokens(),
    )


def _pieces(text: str) -> tuple[str, ...]:
    """``text`` in pieces of a few words; joined they are ``text`` again."""
    tokens = text.split(" ")
    groups = [" ".join(tokens[start : start + WORDS_PER_PIECE]) for start in range(0, len(tokens), WORDS_PER_PIECE)]
    return (groups[0], *(f" {group}" for group in groups[1:]))
