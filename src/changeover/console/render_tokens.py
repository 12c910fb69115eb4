"""How do tokens look? Who holds them, what each may do, until when. Pure."""

from typing import Final

from rich.console import RenderableType

from changeover.api.token_answers import NewTokenAnswer, TokenAnswer, TokensAnswer, TokenView
from changeover.console import words
from changeover.console.tables import cell, plain_table
from changeover.rollout.token_ring import TokenStanding

_STYLES: Final = {TokenStanding.GOOD: "green", TokenStanding.EXPIRED: "dim", TokenStanding.REVOKED: "dim"}


def render_tokens(answer: TokensAnswer) -> RenderableType:
    if not answer.tokens:
        return cell("no tokens; whoever owns the state directory does everything. Make one: changeover token create NAME --role ROLE")
    return token_table(answer.tokens)


def render_token(answer: TokenAnswer) -> RenderableType:
    return token_table((answer.token,))


def token_table(tokens: tuple[TokenView, ...]) -> RenderableType:
    table = plain_table(
        "token", "name", "role", "tasks", "state", "created (UTC)", "by", "ends (UTC)", whole=("token", "created (UTC)", "ends (UTC)")
    )
    for token in tokens:
        table.add_row(
            cell(token.id, "bold"),
            cell(token.name),
            cell(str(token.role)),
            cell(", ".join(token.tasks) or "all"),
            cell(str(token.standing), _STYLES[token.standing]),
            cell(words.moment(token.created_at)),
            cell(token.created_by),
            cell(_end(token)),
        )
    return table


def made_note(made: NewTokenAnswer) -> str:
    token = made.token
    tasks = f" for {', '.join(token.tasks)}" if token.tasks else ""
    until = "until it is revoked" if token.expires_at is None else f"until {words.moment(token.expires_at)} UTC"
    return f"token {token.id}: {token.name} is {token.role}{tasks}, {until}. Keep this secret now: it is not shown again"


def _end(token: TokenView) -> str:
    at = token.expires_at if token.revoked_at is None else token.revoked_at
    return words.NOTHING if at is None else words.moment(at)
