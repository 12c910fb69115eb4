"""Where do log lines go? To standard error: coloured on a terminal, one ``key=value`` line each elsewhere."""

import logging
import sys
from typing import Final

import structlog

_SHARED: Final[list[structlog.types.Processor]] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]


def configure_log(program: str) -> None:
    """Set up this process's log, for structlog and the standard library alike. Call once, at a program's start.

    ``program`` stands in every line: a server and its gateway share one standard error.
    """

    def name_program(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        """Time, level, program and event first, in that order, so that a page of lines can be read down."""
        event.setdefault("program", program)
        first = {key: event.pop(key) for key in ("timestamp", "level", "program", "event") if key in event}
        return {**first, **event}

    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.LogfmtRenderer(bool_as_flag=False)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, name_program, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("httpx2", "httpcore2", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
