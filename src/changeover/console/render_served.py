"""How did each served version do? For a terminal, for Markdown, and as a page of HTML. Pure."""

from html import escape
from typing import Final

from rich.console import Group, RenderableType

from changeover.api.served_answers import ServedAnswer
from changeover.console import html_page, markdown_text
from changeover.console import render_served_rows as told
from changeover.console.tables import cell, plain_table

_SERVED: Final = told.HEADS.index("served")
_WARNING: Final = "yellow"


def render_served(answer: ServedAnswer) -> RenderableType:
    return Group(
        cell(told.headline(answer)),
        cell(""),
        _table(answer) if answer.versions else cell(told.empty(answer)),
        cell(""),
        *map(cell, told.remarks(answer)),
        cell(told.reach(answer), "dim"),
    )


def served_markdown(answer: ServedAnswer) -> str:
    parts = [
        f"## {markdown_text.safe(told.headline(answer))}",
        markdown_text.table_of(told.HEADS, [row.texts for row in told.rows(answer)]) if answer.versions else told.empty(answer),
        markdown_text.listed(told.remarks(answer)),
        markdown_text.safe(told.reach(answer)),
    ]
    return "\n\n".join(part for part in parts if part)


def served_html(answer: ServedAnswer) -> str:
    rows = [html_page.row_of(row.texts, style=_WARNING if row.contradicts else "", styled=_SERVED) for row in told.rows(answer)]
    return html_page.page(
        told.headline(answer),
        [
            html_page.table_of(told.HEADS, rows) if rows else f"<p>{escape(told.empty(answer))}</p>",
            html_page.listed(told.remarks(answer)),
            f'<p class="aside">{escape(told.reach(answer))}</p>',
        ],
    )


def _table(answer: ServedAnswer) -> RenderableType:
    table = plain_table(*told.HEADS, right=told.RIGHT, whole=("requests", "latency"))
    for row in told.rows(answer):
        styles = {"served": _WARNING if row.contradicts else "bold"}
        table.add_row(*(cell(text, styles.get(head, "")) for head, text in zip(told.HEADS, row.texts, strict=True)))
    return table
