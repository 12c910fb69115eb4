"""Where is the store, if not in the state directory? The URL of a PostgreSQL database, which may hold a password."""

from typing import Final

import click

from changeover.ports.serving import DATABASE_VARIABLE

DATABASE_OPTION: Final = click.option(
    "--database",
    envvar=DATABASE_VARIABLE,
    metavar="URL",
    help=f"A PostgreSQL database in place of the file (postgresql://...); better in {DATABASE_VARIABLE}: others see command lines.",
)
