"""What is fuzzed. Each target takes bytes and raises when something does not hold. Imports wait until they are instrumented."""

from collections.abc import Callable
from typing import Final

Target = Callable[[bytes], object]
CUTS: Final = 6
"""So many bytes of the input say where the rest is cut."""


def asking() -> Target:
    """Callers' bytes beside h11."""
    from tests.fuzz.asking import check

    return lambda data: check(data[CUTS:], data[:CUTS])


def answering() -> Target:
    """Providers' bytes beside h11; the first byte also says whether the request was HEAD."""
    from tests.fuzz.answering import check

    return lambda data: check(data[CUTS:], data[:CUTS], head_only=data[:1] == b"\xff")


def crowd() -> Target:
    """Scripts for a crowd."""
    from tests.fuzz.crowd import run

    return run


def streams() -> Target:
    """Streamed answers: relayed whole, and read alike in every cut."""
    from tests.fuzz.streams import check

    return lambda data: check(data[CUTS:], data[:CUTS])


TARGETS: Final[dict[str, Callable[[], Target]]] = {"asking": asking, "answering": answering, "streams": streams, "crowd": crowd}
