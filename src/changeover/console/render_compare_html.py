"""A comparison as one page: no script, nothing fetched, fit to be sent by mail or kept beside a decision. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Final

from changeover.api.answers import CompareAnswer
from changeover.console import render_compare_rows as told

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


def html_of(answer: CompareAnswer) -> str:
    """Colours only repeat what icon and word say."""
    rollout, assessment = answer.rollout, answer.assessment
    title = f"{rollout.task}: {rollout.stable} → {rollout.candidate}"
    check = assessment.sample_ratio
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
            f"<p>{escape(told.headline(rollout))}<br>{escape(told.pair(answer))}</p>",
            _listed(f"note: {warning}" for warning in answer.warnings),
            _table(answer) if assessment.verdicts else "<p>no criterion is asked</p>",
            _listed([*told.sentences(assessment.verdicts), *told.left_out(rollout.plan.criteria)]),
            f'<p class="{"red" if check.alarm else ""}">{escape(told.sample_ratio_words(check))}</p>',
            f'<p class="aside">{escape(told.reach(assessment))}</p>',
            "</body>",
            "</html>",
        ]
    )


def _table(answer: CompareAnswer) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in told.HEADS)
    rows = "\n".join(_row(row) for row in told.rows(answer.rollout.plan.criteria, answer.assessment.verdicts))
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _row(row: told.Cells) -> str:
    first, *rest = row.texts
    cells = "".join(
        f'<td class="{row.style}">{escape(text)}</td>' if head == "verdict" else f"<td>{escape(text)}</td>"
        for head, text in zip(told.HEADS[1:], rest, strict=True)
    )
    return f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'


def _listed(lines: Iterable[str]) -> str:
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>\n{items}\n</ul>" if items else ""
