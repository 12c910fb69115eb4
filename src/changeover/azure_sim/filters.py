"""What does the content filter find? What a caller tells it to find, by marks in the prompt; never anything else.

A mark is ``[sim:block-prompt]``, ``[sim:block-completion]``, ``[sim:annotate-prompt]`` or ``[sim:annotate-completion]``, with the
category behind another dash where it is not violence: ``[sim:block-prompt-jailbreak]``. Marks are not part of the text.
"""

import re
from typing import Final

import msgspec

Json = dict[str, object]

_MARK: Final = re.compile(r"\[sim:(block|annotate)-(prompt|completion)(?:-(hate|self_harm|sexual|violence|jailbreak))?\]\s*")
_CATEGORIES: Final = ("hate", "self_harm", "sexual", "violence")
_JAILBREAK: Final = "jailbreak"
_SAFE: Final[Json] = {"filtered": False, "severity": "safe"}
_ANNOTATED: Final[Json] = {"filtered": False, "severity": "low"}
_BLOCKED: Final[Json] = {"filtered": True, "severity": "high"}


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Categories by what is done with them."""

    block_prompt: frozenset[str] = frozenset()
    annotate_prompt: frozenset[str] = frozenset()
    block_completion: frozenset[str] = frozenset()
    annotate_completion: frozenset[str] = frozenset()

    def prompt_results(self) -> Json:
        jailbreak = _JAILBREAK in self.block_prompt
        detected = jailbreak or _JAILBREAK in self.annotate_prompt
        return _results(self.block_prompt, self.annotate_prompt) | {_JAILBREAK: {"filtered": jailbreak, "detected": detected}}

    def completion_results(self) -> Json:
        return _results(self.block_completion, self.annotate_completion)

    def annotated_results(self) -> Json:
        """Of a piece of the completion that came before the filter stepped in."""
        return _results(frozenset(), self.annotate_completion)


NO_MARKS: Final = Marks()


def read_marks(text: str) -> Marks:
    found: dict[str, set[str]] = {}
    for deed, side, category in _MARK.findall(text):
        found.setdefault(f"{deed}_{side}", set()).add(category or "violence")
    return msgspec.convert(found, Marks) if found else NO_MARKS


def without_marks(text: str) -> str:
    return _MARK.sub("", text)


def _results(blocked: frozenset[str], annotated: frozenset[str]) -> Json:
    return {name: _BLOCKED if name in blocked else _ANNOTATED if name in annotated else _SAFE for name in _CATEGORIES}
