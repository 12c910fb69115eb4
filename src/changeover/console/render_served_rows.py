"""What stands in each cell of a before/after by served version? The same words for every form. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from changeover.api.served_answers import ServedAnswer, ServedVersionView
from changeover.console import words

HEADS: Final = ("served", "requests", "errors", "latency", "cost", "tokens", "filtered")
RIGHT: Final = HEADS[1:]
UNSAID: Final = "(not said)"


class Cells(NamedTuple):
    """One version, in the order of `HEADS`. ``contradicts``: it is not what is pinned."""

    texts: tuple[str, ...]
    contradicts: bool


def rows(answer: ServedAnswer) -> list[Cells]:
    """Beside each figure by how much it differs from that of the version which the same deployment served first."""
    return [Cells(_texts(one, _before(answer.versions, one)), one.contradicts) for one in answer.versions]


def headline(answer: ServedAnswer) -> str:
    return f"{answer.task}: stable {', '.join(answer.stable)}, by served version ({answer.note})"


def reach(answer: ServedAnswer) -> str:
    """Which requests these are."""
    window = f"{words.moment(answer.since)} to {words.moment(answer.until)} UTC"
    if answer.sampled:
        return f"{answer.read} requests read, evenly over {window}; there are more, so counts are of this sample"
    return f"all {answer.read} requests, {window}"


def remarks(answer: ServedAnswer) -> list[str]:
    """What a reader must know to read the figures rightly."""
    told = [f"drift: {drift.sentence}, first at {words.moment(drift.seen_at)} UTC" for drift in answer.drifts]
    if len(answer.versions) > 1:
        told.append("nobody drew lots between versions: callers, hours and load differ too; no verdict rests on these figures")
    if any(one.errors for one in answer.versions):
        told.append("an unanswered request belongs to the version that its deployment had answered with last before it")
    return told


def empty(answer: ServedAnswer) -> str:
    return f"no request was assigned to {', '.join(answer.stable)} in this time"


def _before(versions: Sequence[ServedVersionView], one: ServedVersionView) -> ServedVersionView | None:
    first = next(each for each in versions if each.deployment == one.deployment)
    return None if first is one else first


def _texts(one: ServedVersionView, before: ServedVersionView | None) -> tuple[str, ...]:
    first = before or one
    latency = [
        _beside(f"p50 {_time(one.latency_ms_p50)}", _times(one.latency_ms_p50, first.latency_ms_p50, before)),
        _beside(f"p95 {_time(one.latency_ms_p95)}", _times(one.latency_ms_p95, first.latency_ms_p95, before)),
        _beside(f"p99 {_time(one.latency_ms_p99)}", _times(one.latency_ms_p99, first.latency_ms_p99, before)),
    ]
    tokens = [
        _beside(f"in {words.number(one.tokens_input_mean)}", _times(one.tokens_input_mean, first.tokens_input_mean, before)),
        _beside(f"out {words.number(one.tokens_output_mean)}", _times(one.tokens_output_mean, first.tokens_output_mean, before)),
    ]
    return (
        _served(one),
        f"{one.requests}",
        _below(_share(one.error_share), _times(one.error_share, first.error_share, before)),
        "\n".join(latency),
        _below(_money(one.cost_usd_mean), _times(one.cost_usd_mean, first.cost_usd_mean, before)),
        "\n".join(tokens),
        _below(_share(one.filtered_share), _times(one.filtered_share, first.filtered_share, before)),
    )


def _served(one: ServedVersionView) -> str:
    """Who answered, by which of our deployments, and from when to when it was seen."""
    model = one.model if one.model is not None else UNSAID
    seen = [f"first {words.moment(one.first_seen_at)}", f"last {words.moment(one.last_seen_at)}"]
    return "\n".join([model, *(["not what is pinned"] if one.contradicts else []), f"by {one.deployment}", *seen])


def _times(now: float | None, first: float | None, before: ServedVersionView | None) -> str:
    return "" if before is None or now is None or not first else f"x{now / first:.2f}"


def _beside(figure: str, times: str) -> str:
    return f"{figure} {times}".rstrip()


def _below(figure: str, times: str) -> str:
    return f"{figure}\n{times}".rstrip()


def _share(value: float | None) -> str:
    return words.NOTHING if value is None else f"{100 * value:.2f} %"


def _time(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.0f} ms"


def _money(value: float | None) -> str:
    return words.NOTHING if value is None else f"${value:.3g}"
