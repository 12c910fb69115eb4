"""Why was something asked not done? What was found, what was expected, what to do next."""

from typing import Literal

RefusalCode = Literal["not_found", "conflict", "invalid", "stale", "not_allowed"]


class Refusal(Exception):  # noqa: N818  a refusal is an answer, not an error of the program
    """What was asked is not done, and nothing changed.

    ``code``: not_found (no such task, deployment, rollout), conflict (not in the present state), invalid (never as
    asked), stale (the state moved on since it was looked at), not_allowed (not to whoever asks).
    """

    def __init__(self, code: RefusalCode, message: str, *, hint: str) -> None:
        super().__init__(f"{message}. {hint}" if hint else message)
        self.code: RefusalCode = code
        self.message = message
        self.hint = hint


class NothingToDo(Refusal):
    """The state is already as asked: there is no change to commit."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__("conflict", message, hint=hint)
