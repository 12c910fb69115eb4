"""What does a compressed reply say? A copy is read for its facts; the caller gets the bytes as they came."""

import zlib
from typing import Final

GZIP: Final = frozenset({b"gzip", b"x-gzip"})
DEFLATE: Final = b"deflate"
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS
_STEP_BYTES: Final = 256 * 1024


class Inflater:
    """Decompresses a copy of a reply, in pieces, no further than ``limit`` bytes in all (a bomb must not burst here).

    ``lost``: the bytes cannot be read, or are too many; from then on nothing is returned.
    """

    __slots__ = ("_inflate", "_left", "_raw_allowed", "lost")

    def __init__(self, coding: bytes, limit: int) -> None:
        self._inflate = zlib.decompressobj(_GZIP_BITS if coding in GZIP else zlib.MAX_WBITS)
        self._raw_allowed = coding == DEFLATE
        self._left = limit
        self.lost = False

    @property
    def whole(self) -> bool:
        """Whether the compressed data has come to its own end."""
        return self._inflate.eof and not self.lost

    def feed(self, data: bytes) -> bytes:
        """What the next bytes of the reply say."""
        out: list[bytes] = []
        while data and not self.lost and not self._inflate.eof:
            try:
                piece = self._inflate.decompress(data, _STEP_BYTES)
            except zlib.error:
                if not self._raw_allowed:
                    self.lost = True
                    break
                self._raw_allowed = False  # "deflate" without its envelope, as some servers write it
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            self._raw_allowed = False
            self._left -= len(piece)
            self.lost = self._left < 0
            out.append(piece)
            data = self._inflate.unconsumed_tail
        return b"" if self.lost else b"".join(out)


def inflater_for(coding: bytes, limit: int) -> Inflater | None:
    """A reader for a ``content-encoding``, ``None`` where it cannot be read here."""
    coding = coding.strip().lower()
    return Inflater(coding, limit) if coding in GZIP or coding == DEFLATE else None
