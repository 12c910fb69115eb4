"""How is the story told? Plain lines with the seconds since the start, as things happen."""

import sys
import time
from typing import TextIO


class Voice:
    """Writes to ``stream``. ``begin`` names the next chapter; ``say`` is one line of it."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stdout
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def begin(self, chapter: str) -> None:
        self._write(f"\n== {chapter}\n")

    def say(self, line: str) -> None:
        self._write(f"{self.elapsed_s:6.1f}s  {line}\n")

    def show(self, block: str) -> None:
        """A table or another program's words, as they are."""
        self._write(block.rstrip("\n") + "\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
