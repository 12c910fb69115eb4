"""Coverage-guided fuzzing of both parsers: ``python -m tests.fuzz [--seconds 60] [TARGET ...]``.

Begins with the corpora of the tests. What is found stays in ``.fuzz/`` of this checkout: the corpus that has grown, to begin
with the next time, and each input that failed, which ``--repeat FILE`` plays again. Ends with 0 if nothing was found. It needs
atheris, whose wheels are for Linux.
"""

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.fuzz.targets import CUTS, TARGETS

FOLDER: Final = Path(".fuzz")
LONGEST: Final = 1200
"""Bytes of an input. No limit of the parsers needs more: the checks have narrow ones."""
TIMEOUT_S: Final = 10
"""An input that takes longer hangs."""
SPARE_S: Final = 60
NO_CUTS: Final = bytes(CUTS)
SOME_CUTS: Final = bytes([7, 20, 40, 60, 90, 150])


def seeds(name: str) -> list[bytes]:
    """What a target begins with."""
    from tests.fuzz.seeds import ANSWERS, REQUESTS, SCRIPTS, STREAMS

    if name == "crowd":
        return SCRIPTS
    data = {"asking": REQUESTS, "answering": ANSWERS, "streams": STREAMS}[name]
    return [cuts + each for each in data for cuts in (NO_CUTS, SOME_CUTS)]


def parts(name: str) -> list[bytes]:
    """Words that the fuzzer may put in."""
    from tests.fuzz.seeds import REPLY_PARTS, REQUEST_PARTS, STREAM_PARTS

    return {"asking": REQUEST_PARTS, "answering": REPLY_PARTS, "streams": STREAM_PARTS}.get(name, [])


def fuzz(name: str, *, seconds: int) -> bool:
    """Whether ``name`` held for ``seconds``."""
    corpus, found = FOLDER / name / "corpus", FOLDER / name / "found"
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(data)
    words = FOLDER / name / "words"  # libFuzzer refuses an empty one
    words.write_text('"GET"\n' + "".join(f'"{"".join(f"{chr(92)}x{byte:02x}" for byte in word)}"\n' for word in parts(name)))
    before = set(found.iterdir())
    options = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={TIMEOUT_S}", f"-dict={words}", f"-artifact_prefix={found}/"]
    command = [sys.executable, "-m", "tests.fuzz.target", name, *options, "-print_final_stats=1", str(corpus)]
    finished = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=seconds + SPARE_S, check=False)
    failed = sorted(set(found.iterdir()) - before)
    told = [line for line in finished.stderr.splitlines() if "stat::number_of_executed_units" in line or "cov:" in line]
    say(f"{name}: {'held' if not finished.returncode else 'FAILED'}; {told[-1].strip() if told else 'nothing run'}")
    if finished.returncode:
        say(finished.stdout[-3000:] + finished.stderr[-3000:])
        for path in failed:
            say(f"again: python -m tests.fuzz {name} --repeat {path}")
    return not finished.returncode


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--repeat", type=Path, help="play one input again, without atheris")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    if options.repeat is not None:
        TARGETS[names[0]]()(options.repeat.read_bytes())
        say("held")
        return 0
    if find_spec("atheris") is None:
        sys.stderr.write("atheris is not here; make fuzz installs it (there are wheels for Linux only)\n")
        return 1
    held = [fuzz(name, seconds=options.seconds) for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
