"""A streamed answer's bytes: relayed whole, and read alike however they are cut. No test runs here."""

from collections.abc import Iterable

from changeover.wire.readers import stream_reader
from changeover.wire.surface import Surface
from tests.fuzz.asking import pieces_of

_SURFACES = (Surface.CHAT, Surface.RESPONSES, Surface.COMPLETIONS)


def check(data: bytes, cuts: Iterable[int]) -> None:
    """All that must hold of one stream."""
    pieces = pieces_of(data, cuts)
    for surface in _SURFACES:
        for hide_usage in (False, True):
            whole, cut = _read([data], surface, hide_usage=hide_usage), _read(pieces, surface, hide_usage=hide_usage)
            assert cut == whole, f"{surface}: cut otherwise, read otherwise: {cut}, {whole}"
            if not hide_usage:
                assert whole[0] == data, f"{surface}: not relayed whole"


def _read(pieces: list[bytes], surface: Surface, *, hide_usage: bool) -> tuple[bytes, object]:
    reader = stream_reader(surface, hide_usage=hide_usage)
    relayed = b"".join([reader.feed(piece) for piece in pieces]) + reader.close()
    return relayed, (reader.facts, reader.content_started, reader.done, reader.failed, reader.error)
