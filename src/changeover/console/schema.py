"""``changeover schema``: what editors need to know of changeover.yaml."""

import json

import click

from changeover.console.taught import Taught


@click.command(cls=Taught, examples=("changeover schema",))
def schema() -> None:
    """Print the JSON Schema of changeover.yaml.

    Write it beside the file (changeover schema > changeover.schema.json), and editors with a YAML language server complete
    and check the file by it when its first line is "# yaml-language-server: $schema=changeover.schema.json". Names that must
    exist elsewhere in the file are beyond a schema: changeover check knows them.
    """
    from changeover.settings.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
