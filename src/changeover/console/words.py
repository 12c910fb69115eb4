"""How do numbers, times and states read? One spelling each, everywhere in the console. Pure."""

import datetime as dt
from typing import Final

from changeover.gates.verdict import Decision
from changeover.rollout.state import Phase

NOTHING: Final = "-"
_PHASE_ICONS: Final = {
    "running": "▶", "baking": "▶", "paused": "⏸", "completed": "✔", "retiring": "✔", "retired": "✔", "rolling_back": "✖", "rolled_back": "✖"
}  # fmt: skip
_PHASE_STYLES: Final = {
    "running": "cyan", "baking": "cyan", "paused": "yellow", "completed": "green", "retiring": "green", "retired": "green",
    "rolling_back": "red", "rolled_back": "red",
}  # fmt: skip
_ELSE_ICON: Final = "·"
"""Of phases without traffic of the candidate's, of which nothing is decided."""


def percent(value: float) -> str:
    """A weight or share in percent: ``12.5 %``."""
    return f"{value:g} %"


def number(value: float | None) -> str:
    """Four significant digits, as many as a verdict needs."""
    return NOTHING if value is None else f"{value:.4g}"


def signed(value: float | None) -> str:
    return NOTHING if value is None else f"{value:+.4g}"


def moment(unix: float) -> str:
    """A Unix time in UTC, to the second."""
    return dt.datetime.fromtimestamp(unix, tz=dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(seconds: float) -> str:
    """How long ago, in its largest unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def decision_words(decision: Decision, *, tripped: bool) -> str:
    """A verdict as icon and word, so that it reads without colour."""
    said = {Decision.PASS: "✔ pass", Decision.FAIL: "✖ fail", Decision.UNDECIDED: "… undecided"}[decision]
    return f"{said}, tripped" if tripped else said


def decision_style(decision: Decision, *, tripped: bool) -> str:
    if tripped or decision is Decision.FAIL:
        return "red"
    return "green" if decision is Decision.PASS else "yellow"


def phase_words(phase: Phase) -> str:
    """A phase as icon and word."""
    return f"{_PHASE_ICONS.get(phase.value, _ELSE_ICON)} {phase.replace('_', ' ')}"


def phase_style(phase: Phase) -> str:
    return _PHASE_STYLES.get(phase.value, "")
