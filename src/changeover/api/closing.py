"""Is this app about to stop? Whoever waits for long (a data plane for its next table) waits for this as well."""

import asyncio

from starlette.applications import Starlette


def closing_of(app: Starlette) -> asyncio.Event:
    """The app's own event; made on first use."""
    event = getattr(app.state, "closing", None)
    if not isinstance(event, asyncio.Event):
        event = asyncio.Event()
        app.state.closing = event
    return event
