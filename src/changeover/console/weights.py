"""Weights on the command line: ``DEPLOYMENT=PERCENT``."""

from collections.abc import Sequence

import click


def parse_weights(texts: Sequence[str]) -> dict[str, float]:
    """Percent by deployment.

    Raises:
        click.UsageError: not of that form, a deployment named twice, or no weight at all.
    """
    found: dict[str, float] = {}
    for text in texts:
        deployment, is_there, percent = text.rpartition("=")
        if not is_there or not deployment:
            raise click.UsageError(f"found {text!r}, expected DEPLOYMENT=PERCENT such as gpt4o-prod-v1120=90")
        if deployment in found:
            raise click.UsageError(f"found two weights for {deployment}, expected one")
        found[deployment] = _percent(deployment, percent)
    if not found:
        raise click.UsageError("found no weight, expected DEPLOYMENT=PERCENT for the stable and a candidate, summing to 100")
    return found


def _percent(deployment: str, text: str) -> float:
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise click.UsageError(f"weight of {deployment}: found {text!r}, expected a percentage from 0 to 100 with at most one decimal")
    return value
