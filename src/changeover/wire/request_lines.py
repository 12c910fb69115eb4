"""Which requests are in this file? One JSON body a line, or lines as batch APIs take them; reads text, opens nothing."""

from typing import Final, NamedTuple

import msgspec

from changeover.wire.probe import OPERATIONS
from changeover.wire.surface import Surface, read_path

LINES_MAX: Final = 200
LINE_BYTES_MAX: Final = 1_048_576
FAULTS_MAX: Final = 20
"""Bad lines that are named; of more only their number is said."""

_OBJECT: Final = msgspec.json.Decoder(dict[str, object])
_SPOKEN: Final = (("messages", Surface.CHAT), ("input", Surface.RESPONSES), ("prompt", Surface.COMPLETIONS))
"""What tells a surface by its body."""
_OF_EMBEDDINGS: Final = ("encoding_format", "dimensions")
_OF_MESSAGES: Final = ("system", "stop_sequences", "thinking", "anthropic_version")
_BATCH: Final = ("url", "body")


class SampleRequest(NamedTuple):
    surface: Surface
    body: dict[str, object]


class LineFault(NamedTuple):
    """What is wrong with a line; lines count from 1, and 0 is the whole file."""

    line: int
    text: str


def read_lines(data: bytes) -> tuple[tuple[SampleRequest, ...], tuple[LineFault, ...]]:
    """The requests of a JSON Lines file and every fault in it. Empty lines are passed over."""
    samples: list[SampleRequest] = []
    faults: list[LineFault] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        found = _read(line)
        if isinstance(found, SampleRequest):
            samples.append(found)
        else:
            faults.append(LineFault(number, found))
    if not samples and not faults:
        faults.append(LineFault(0, "found no request in it"))
    if len(samples) > LINES_MAX:
        faults.append(LineFault(0, f"found {len(samples)} requests, expected at most {LINES_MAX}: choose those that differ"))
    if len(faults) > FAULTS_MAX:
        faults = [*faults[:FAULTS_MAX], LineFault(0, f"and {len(faults) - FAULTS_MAX} more")]
    return tuple(samples), tuple(faults)


def _read(line: bytes) -> SampleRequest | str:
    """The request in ``line``, or what is wrong with it."""
    if len(line) > LINE_BYTES_MAX:
        return f"found {len(line)} bytes, expected at most {LINE_BYTES_MAX}"
    try:
        fields = _OBJECT.decode(line)
    except UnicodeDecodeError:
        return "found bytes that are not UTF-8, expected a JSON object"
    except RecursionError:
        return "found JSON nested too deep to be read, expected fewer levels"
    except msgspec.DecodeError as error:
        return f"found no JSON object ({error})"
    return _of_batch(fields) if all(name in fields for name in _BATCH) else _of_body(fields)


def _of_batch(fields: dict[str, object]) -> SampleRequest | str:
    url, body = fields["url"], fields["body"]
    ask = read_path(url.encode("utf-8", "replace")) if isinstance(url, str) else None
    if ask is None or ask.surface not in OPERATIONS:
        return f"found the url {url!r}, expected one such as /v1/chat/completions"
    if not isinstance(body, dict):
        return "found a body that is no object, expected the body of a request"
    return SampleRequest(ask.surface, {str(name): value for name, value in body.items()})  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]


def _of_body(fields: dict[str, object]) -> SampleRequest | str:
    surface = next((surface for name, surface in _SPOKEN if name in fields), None)
    if surface is None:
        return f"found {', '.join(list(fields)[:5]) or 'an empty object'}, expected a body with messages, input or prompt"
    if surface is Surface.RESPONSES and any(name in fields for name in _OF_EMBEDDINGS):
        surface = Surface.EMBEDDINGS
    if surface is Surface.CHAT and any(name in fields for name in _OF_MESSAGES):
        surface = Surface.MESSAGES
    return SampleRequest(surface, fields)
