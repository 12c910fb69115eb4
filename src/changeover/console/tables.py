"""The one look of every table: no lines but the one under the heads, cells that wrap."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text


def plain_table(*heads: str, right: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """An empty table. Columns named in ``right`` hold numbers; those in ``whole`` are never wrapped."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for head in heads:
        table.add_column(head, justify="right" if head in right else "left", overflow="fold", no_wrap=head in whole, min_width=len(head))
    return table


def cell(text: str, style: str = "") -> Text:
    """Text as it is: names from a file are never read as markup."""
    return Text(text, style=style)
