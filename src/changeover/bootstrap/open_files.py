"""How many connections may a data plane have open? As many as it is allowed to, not as many as a shell is given."""

import logging
from typing import Final

OPEN_FILES_WANTED: Final = 21_000
"""A caller and a deployment's connection for each of ``gateway.limits``' callers, and some for everything else."""

_log: Final = logging.getLogger(__name__)


def raise_open_files(wanted: int = OPEN_FILES_WANTED) -> int | None:
    """Raise the soft limit on open files to ``wanted``, or as near as the hard one lets us. Returns the limit, ``None`` where
    there is none.

    Shells hand down 1,024, which is 500 streams: of the next ones callers would see nothing but a reset connection.
    """
    try:
        import resource
    except ImportError:  # not a Unix
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unbounded = resource.RLIM_INFINITY
    if soft == unbounded:
        return None
    reachable = wanted if hard == unbounded else min(wanted, hard)
    if soft < reachable:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        except (OSError, ValueError) as error:
            _log.warning("the limit of %d open files could not be raised (%s)", soft, error)
            return soft
        soft = reachable
    if soft < wanted:
        _log.warning(
            "found a limit of %d open files, expected %d: about %d streams at once, callers beyond that are reset. Raise the hard limit "
            "(LimitNOFILE= in a systemd unit, --ulimit nofile= for a container).", soft, wanted, soft // 2,
        )  # fmt: skip
    return soft
