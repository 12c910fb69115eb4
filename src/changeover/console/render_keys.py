"""How do keys look? Who holds them, for what, until when. Pure."""

from typing import Final

from rich.console import Group, RenderableType

from changeover.api.key_answers import KeyAnswer, KeysAnswer, KeyView, MintedAnswer
from changeover.console import words
from changeover.console.tables import cell, plain_table
from changeover.traffic.keys import Standing

_STYLES: Final = {Standing.GOOD: "green", Standing.EARLY: "yellow", Standing.EXPIRED: "dim", Standing.REVOKED: "dim"}


def render_keys(answer: KeysAnswer) -> RenderableType:
    head = "callers must have a key" if answer.required else "callers need no key while the gateway listens on this machine alone"
    if not answer.keys:
        return cell(f"no keys; {head}. Make one: changeover key create NAME")
    return Group(cell(head), cell(""), key_table(answer.keys))


def render_key(answer: KeyAnswer) -> RenderableType:
    return key_table((answer.key,))


def key_table(keys: tuple[KeyView, ...]) -> RenderableType:
    table = plain_table(
        "key", "name", "tasks", "default", "state", "created (UTC)", "ends (UTC)", whole=("key", "created (UTC)", "ends (UTC)")
    )
    for key in keys:
        table.add_row(
            cell(key.id, "bold"),
            cell(key.name),
            cell(", ".join(key.tasks) or "all"),
            cell(key.default_task or words.NOTHING),
            cell(_standing(key), _STYLES[key.standing]),
            cell(words.moment(key.created_at)),
            cell(_end(key)),
        )
    return table


def minted_note(minted: MintedAnswer) -> str:
    key = minted.key
    tasks = ", ".join(key.tasks) or "all tasks"
    until = "until it is revoked" if key.expires_at is None else f"until {words.moment(key.expires_at)} UTC"
    instead = f" in place of {minted.replaces}" if minted.replaces else ""
    return f"key {key.id} ({key.name}){instead} for {tasks}, {until}. Keep this secret now: it is not shown again"


def _standing(key: KeyView) -> str:
    if key.standing is Standing.EARLY and key.not_before_at is not None:
        return f"good from {words.moment(key.not_before_at)}"
    return str(key.standing)


def _end(key: KeyView) -> str:
    at = key.expires_at if key.revoked_at is None else key.revoked_at
    return words.NOTHING if at is None else words.moment(at)
