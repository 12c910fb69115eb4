"""Tokens as told: for tests, and for a data plane without a cloud."""

import asyncio
from collections import deque

from changeover.ports.credentials import Token, TokenError
from changeover.versions import EntraIdentity


class MemoryTokens:
    """Gives what lies in ``answers``, the last of them for ever; ``asked`` are the identities that came.

    While ``gate`` is clear, whoever asks waits for it.
    """

    def __init__(self, *answers: Token | TokenError) -> None:
        self.answers = deque(answers)
        self.asked: list[EntraIdentity] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def token(self, identity: EntraIdentity) -> Token:
        """See ``TokenSource``."""
        self.asked.append(identity)
        await self.gate.wait()
        answer = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, TokenError):
            raise answer
        return answer
