"""How is a latency said? Names of quantiles, and ratios as percentages."""

from typing import Final

from changeover.evidence.latency_ratio import QuantileRatio
from changeover.gates.wording import plain

NAME: Final = "latency"
_ROUNDING_PERCENT: Final = 1e-9


def verdict_name(quantile: float) -> str:
    """``latency p95``."""
    return f"{NAME} {_short(quantile)}"


def _short(quantile: float) -> str:
    return f"p{plain(100 * quantile)}"


def accepted(quantile: float, *, max_ratio: float) -> str:
    """The loss that is accepted: ``p95 up to 10 % slower``."""
    percent = 100 * (max_ratio - 1)
    if abs(percent) < _ROUNDING_PERCENT:
        return f"{_short(quantile)} no slower"
    return f"{_short(quantile)} " + (f"up to {plain(percent)} % slower" if percent > 0 else f"at least {plain(-percent)} % faster")


def slower(ratio: QuantileRatio) -> str:
    """The ratio in words, with its interval."""
    text = _change(ratio.estimate)
    if ratio.low is None or ratio.high is None:
        return text
    return f"{text} ({_change(ratio.low)} to {_change(ratio.high)})"


def _change(ratio: float) -> str:
    percent = 100 * (ratio - 1)
    return f"{abs(percent):.1f} % {'faster' if percent < 0 else 'slower'}"
