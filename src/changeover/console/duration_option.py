"""An option that takes a duration as the file writes it."""

import click

from changeover.settings.durations import seconds


def duration(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """A duration with its unit, in seconds; ``None`` where the option was not given."""
    if value is None:
        return None
    try:
        return seconds(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from error
