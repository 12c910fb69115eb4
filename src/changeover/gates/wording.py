"""How is a finding said? Numbers and sentences of a verdict, always with the loss that was accepted."""

from math import floor, log10
from typing import Final

import msgspec

from changeover.gates.levels import Proven
from changeover.gates.verdict import Decision, Verdict

_DECIMALS_DEFAULT: Final = 3
_DECIMALS_MAX: Final = 6


def decimals_for(margin: float) -> int:
    """As many decimals as show a tenth of ``margin``."""
    if not margin > 0:
        return _DECIMALS_DEFAULT
    return min(_DECIMALS_MAX, max(0, 1 - floor(log10(margin))))


def number(value: float, *, decimals: int) -> str:
    """``value`` rounded; never "-0.00"."""
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def plain(value: float) -> str:
    """A number as it was written in the file."""
    return f"{value:.6g}"


def decided(proven: Proven, problems: tuple[str, ...]) -> Decision:
    """A failing gate wins; data that is not fit decides nothing."""
    if problems:
        return Decision.UNDECIDED
    if proven.failed_at is not None:
        return Decision.FAIL
    return Decision.UNDECIDED if proven.passed_at is None else Decision.PASS


def finding(decision: Decision, proven: Proven, problems: tuple[str, ...]) -> str:
    """The end of a verdict's sentence: the decision, and what else must be known of it."""
    if problems:
        text = f"{decision}: {'; '.join(problems)}"
    elif decision is Decision.PASS:
        text = "pass: worse, inside the margin" if proven.harmed_at is not None else "pass"
    elif decision is Decision.UNDECIDED and proven.harmed_at is not None:
        text = "undecided: worse than stable is proven, beyond the margin is not"
    else:
        text = str(decision)
    return f"{text}; tripped" if proven.tripped_at is not None else text


def unfit(verdict: Verdict, problem: str) -> Verdict:
    """The verdict when its numbers, good as they are, may not decide for the ``problem`` named: undecided, and it says so."""
    head, _, _ = verdict.sentence.rpartition(f"; {verdict.decision}")
    said = "; ".join((*verdict.problems, problem))
    return msgspec.structs.replace(
        verdict,
        decision=Decision.UNDECIDED,
        able_to_trip=False,
        sentence=f"{head or verdict.sentence}; {Decision.UNDECIDED}: {said}",
        problems=(*verdict.problems, problem),
    )
