"""Secrets that everybody can guess: for tests alone."""

import base64
import hashlib
import itertools


class CountingMint:
    """``ports.mint.Mint`` whose n-th secret is the hash of n. `struck` remembers them, to look for where none may be."""

    def __init__(self) -> None:
        self.struck: list[str] = []
        self._strokes = itertools.count()

    def secret(self) -> str:
        """See ``Mint``."""
        digest = hashlib.sha256(f"stroke {next(self._strokes)}".encode()).digest()
        self.struck.append(base64.urlsafe_b64encode(digest).decode().rstrip("="))
        return self.struck[-1]
