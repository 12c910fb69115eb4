"""How good was each answer? ROUGE-L F1 against the author's own first line, posted to the server in batches."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from changeover.demo.control import GivenScore
from changeover.evaluation.rouge import rouge_l_f1
from changeover.evaluation.stdlib_texts import Text

SCORE_NAME: Final = "rouge-l"
SCORER: Final = "demo"
FLUSH_S: Final = 0.2
BATCH_MAX: Final = 500

GiveScores = Callable[[Sequence[GivenScore]], Awaitable[object]]


class Marker:
    """Marks answers and posts the marks every ``FLUSH_S`` seconds. Texts and answers repeat, so each pair is measured once."""

    def __init__(self, give: GiveScores) -> None:
        self._give = give
        self._known: dict[tuple[str, str], float] = {}
        self._waiting: list[GivenScore] = []
        self._stopping = False
        self.given = 0

    def mark(self, request_id: str, text: Text, answer: str) -> float:
        """The score of ``answer``, which is now on its way."""
        pair = (text.name, answer)
        value = self._known.get(pair)
        if value is None:
            value = self._known[pair] = rouge_l_f1(answer, text.reference)
        self._waiting.append(GivenScore(request_id=request_id, name=SCORE_NAME, value=value, scorer=SCORER))
        return value

    async def post(self) -> None:
        """Until ``stop``, and then what still waits. What the server refuses is raised."""
        while not self._stopping:
            await asyncio.sleep(FLUSH_S)
            await self.flush()
        await self.flush()

    def stop(self) -> None:
        """No answer comes any more."""
        self._stopping = True

    async def flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            await self._give(batch)
            self.given += len(batch)
