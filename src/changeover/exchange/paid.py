"""What did all attempts at one request use? What an attempt did not say adds nothing; what the answer does not say is unknown."""

from collections.abc import Sequence

from changeover.exchange.observation import Spent, Tokens


def paid(served: str | None, answer: Tokens | None, spent: tuple[Spent, ...]) -> tuple[Tokens | None, tuple[Spent, ...]]:
    """The tokens of a request and what each attempt used of them. ``spent`` are the attempts in vain, at least one;
    ``answer`` is the usage of what ``served`` gave. Without an answer they are all there is.
    """
    if served is None:
        return _total(spent), spent
    if answer is None:
        return None, spent
    used = (*spent, Spent(deployment=served, tokens=answer))
    return _masked(_total(used), answer), used


def _total(spent: Sequence[Spent]) -> Tokens:
    tokens = [each.tokens for each in spent]
    return Tokens(
        prompt=_sum([each.prompt for each in tokens]),
        completion=_sum([each.completion for each in tokens]),
        cached=_sum([each.cached for each in tokens]),
        reasoning=_sum([each.reasoning for each in tokens]),
        written=_sum([each.written for each in tokens]),
        written_1h=_sum([each.written_1h for each in tokens]),
    )


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _masked(total: Tokens, answer: Tokens) -> Tokens:
    """Without the counts that the answer itself does not say: a part of a sum is no sum."""
    return Tokens(
        prompt=None if answer.prompt is None else total.prompt,
        completion=None if answer.completion is None else total.completion,
        cached=total.cached,
        reasoning=total.reasoning,
        written=total.written,
        written_1h=total.written_1h,
    )
