"""Which database does a URL mean, and how may it be shown? The password is in the URL's own form only, never in text of ours."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from changeover.ports.store import StoreError

DRIVER: Final = "postgresql+psycopg"
_SCHEMES: Final = frozenset({"postgresql", "postgres", DRIVER})
_SAFE_QUERY: Final = frozenset(
    {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "passfile", "service", "target_session_attrs", "channel_binding"}
)
_EXPECTED: Final = "postgresql://USER@HOST:PORT/DATABASE, with the password in it or in PGPASSWORD or a passfile"


def database_url(text: str) -> sa.URL:
    """The database that ``text`` names.

    Raises:
        StoreError: it is no such URL. The message repeats nothing of it: it may hold a password in the wrong place.
    """
    try:
        url = sa.make_url(text.strip().replace("postgres://", "postgresql://", 1))
        usable = url.drivername in _SCHEMES and bool(url.database) and "@" not in (url.host or "")
    except (ArgumentError, ValueError):
        usable, url = False, sa.URL.create(DRIVER)
    if not usable:
        raise StoreError(f"the database's URL cannot be used; expected {_EXPECTED}; write special characters in it as %XX")
    unknown = sorted(set(url.query) - _SAFE_QUERY)
    if unknown:
        raise StoreError(
            f"found {len(unknown)} parameters in the database's URL that are not for it; expected among {', '.join(sorted(_SAFE_QUERY))}"
        )
    return url.set(drivername=DRIVER)


def shown(url: sa.URL) -> str:
    """The database without any secret: who, where, which."""
    where = url.host or url.query.get("host") or "the local socket"
    host = where if isinstance(where, str) else where[0]
    port = f":{url.port}" if url.port else ""
    user = f"{url.username}@" if url.username else ""
    return f"postgresql://{user}{host}{port}/{url.database}"


def without_secrets(text: str, url: sa.URL) -> str:
    """What a driver said, in one line, with the password taken out wherever it stands."""
    line = " ".join(text.split())
    for secret in (url.password, url.render_as_string(hide_password=False)):
        if secret:
            line = line.replace(str(secret), "***")
    return line
