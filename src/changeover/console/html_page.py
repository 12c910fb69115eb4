"""How does a page look that a person keeps? One style, no script, nothing fetched. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

_STYLE: Final = """\
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; margin: 0 0 .3rem; }
table { border-collapse: collapse; margin: 1.2rem 0; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #8886; white-space: pre-line; }
th { font-weight: 600; }
.green { color: #1a7f37; } .red { color: #cf222e; } .yellow { color: #9a6700; }
.red, .green, .yellow { font-weight: 600; }
.aside { opacity: .75; }
@media (prefers-color-scheme: dark) { .green { color: #56d364; } .red { color: #ff7b72; } .yellow { color: #e3b341; } }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, parts: Iterable[str]) -> str:
    """The whole document; ``parts`` are HTML, ``title`` is text."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{escape(title)}</h1>",
            *parts,
            "</body>",
            "</html>",
        ]
    )


def listed(lines: Iterable[str]) -> str:
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>\n{items}\n</ul>" if items else ""


def table_of(heads: Sequence[str], rows: Iterable[str]) -> str:
    """``rows`` are HTML, see `row_of`."""
    named = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    return "\n".join(["<table>", f"<thead><tr>{named}</tr></thead>", "<tbody>", *rows, "</tbody>", "</table>"])


def row_of(texts: Sequence[str], *, style: str = "", styled: int = 0) -> str:
    """A row whose first cell names it; the cell number ``styled`` has the class ``style``."""
    marks = [f' class="{style}"' if style and number == styled else "" for number in range(len(texts))]
    cells = "".join(f"<td{mark}>{escape(text)}</td>" for mark, text in zip(marks[1:], texts[1:], strict=True))
    return f'<tr><th scope="row"{marks[0]}>{escape(texts[0])}</th>{cells}</tr>'
