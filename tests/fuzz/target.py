"""One fuzzing target in a process of its own: ``python -m tests.fuzz.target NAME CORPUS [libFuzzer options]``. It needs atheris."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from tests.fuzz.targets import TARGETS

_INSTRUMENTED: Final = ["changeover.gateway", "changeover.wire", "changeover.exchange"]


def main(name: str, arguments: list[str]) -> None:
    fuzzer: Any = import_module("atheris")
    with fuzzer.instrument_imports(include=_INSTRUMENTED):
        target: Callable[[bytes], object] = TARGETS[name]()
    fuzzer.Setup([sys.argv[0], *arguments], target)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
