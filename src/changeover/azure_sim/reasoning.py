"""What is special about a version of the reasoning type? It refuses settings of sampling, and counts tokens for thinking."""

from collections.abc import Iterable
from typing import Final

from changeover.azure_sim import refusals
from changeover.azure_sim.prompt import Json, Prompt
from changeover.azure_sim.refusals import RefusalError

RESPONSES: Final = "responses"
EFFORT_DEFAULT: Final = "medium"
TOKENS_PER_PROMPT_TOKEN: Final[dict[str, float]] = {"none": 0.0, "minimal": 0.25, "low": 0.5, "medium": 1.0, "high": 2.0, "xhigh": 4.0}
"""Modelled: thinking grows with the prompt and with the effort asked for."""

_DEFAULTS: Final[Json] = {"temperature": 1, "n": 1}
"""The value of each that is accepted."""
_UNKNOWN: Final = (
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "logprobs",
    "top_logprobs",
    "logit_bias",
    "stop",
    "parallel_tool_calls",
)


def refusal_of(prompt: Prompt, *, reasoning: bool) -> RefusalError | None:
    """What a version says to the settings of ``prompt``; ``None`` when it takes them."""
    if not reasoning:
        return _refused_effort(prompt)
    if prompt.operation == RESPONSES:
        return _first(refusals.unsupported_parameter(name, code=None) for name in ("temperature", *_UNKNOWN) if name in prompt.settings)
    if "max_tokens" in prompt.settings:
        return refusals.unsupported_parameter("max_tokens", instead="max_completion_tokens")
    for name, default in _DEFAULTS.items():
        if name in prompt.settings and prompt.settings[name] != default:
            return refusals.unsupported_value(name, prompt.settings[name], default=default)
    return _first(refusals.unsupported_parameter(name) for name in _UNKNOWN if name in prompt.settings)


def reasoning_tokens(prompt: Prompt) -> int:
    return int(prompt.tokens * TOKENS_PER_PROMPT_TOKEN.get(prompt.effort or EFFORT_DEFAULT, 1.0))


def _refused_effort(prompt: Prompt) -> RefusalError | None:
    if prompt.effort is None:
        return None
    if prompt.operation == RESPONSES:
        return refusals.unsupported_parameter("reasoning.effort")
    return refusals.unrecognised_argument("reasoning_effort")


def _first(found: Iterable[RefusalError]) -> RefusalError | None:
    return next(iter(found), None)
