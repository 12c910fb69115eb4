"""What may be asked of the control plane's tokens? Each function answers with a proposal, or refuses. No secret comes here."""

import re
from typing import Final

import msgspec

from changeover.rollout.order import Order, listed, refuse_stale
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.role import Role
from changeover.rollout.token_ring import TokenEntry, TokenStanding, is_live
from changeover.rollout.world import Proposal, TokenCreated, TokenRevoked, World

TOKENS_MAX: Final = 1000
LIFE_S_MAX: Final = 10 * 365 * 86_400.0
NAME_EXPECTED: Final = "1 to 60 letters, digits, dots, @, _ and -"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,59}")


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A token to make. ``id`` and ``hash`` are those of a fresh secret; ``life_s`` ``None`` means until it is revoked."""

    id: str
    hash: str
    name: str
    role: Role
    tasks: tuple[str, ...] = ()
    life_s: float | None = None


def create_token(world: World, request: TokenRequest, *, order: Order, now: float) -> Proposal:
    """A token that does what its role may. Its name is who stands in the log, so no two that are in use share one."""
    refuse_stale(world, order)
    if not _NAME.fullmatch(request.name):
        raise Refusal("invalid", "found a name that cannot stand in the log of events", hint=f"Use {NAME_EXPECTED}")
    live = [token for token in world.tokens.values() if is_live(token, now)]
    twin = next((token for token in live if token.name == request.name), None)
    if twin is not None:
        hint = f"Revoke it first (changeover token revoke {twin.id}), or choose another name"
        raise Refusal("conflict", f"{request.name} has the token {twin.id} already", hint=hint)
    for task in request.tasks:
        if task not in world.tasks:
            raise Refusal("not_found", f"there is no task {task}; there are: {listed(world.tasks)}", hint="Name one of them")
    if len(live) >= TOKENS_MAX:
        raise Refusal("conflict", f"there are {TOKENS_MAX} tokens in use, which is the limit", hint="Revoke some: changeover token ls")
    if request.id in world.tokens:
        raise Refusal("conflict", f"a token {request.id} exists already", hint="Create it again: it gets another id")
    token = TokenEntry(
        id=request.id,
        name=request.name,
        hash=request.hash,
        role=request.role,
        created_at=now,
        created_by=order.actor,
        tasks=tuple(dict.fromkeys(request.tasks)),
        expires_at=_end(now, request.life_s),
    )
    return Proposal(actor=order.actor, reason=order.reason, body=TokenCreated(token=token))


def revoke_token(world: World, *, token: str, order: Order, now: float) -> Proposal:
    """It opens nothing from this revision on. ``token`` is its id, or the name of its holder."""
    refuse_stale(world, order)
    found = world.tokens.get(token) or _latest_of(world, token)
    if found is None:
        raise Refusal("not_found", f"there is no token {token!r}", hint="List them: changeover token ls")
    if found.standing(now) is TokenStanding.REVOKED:
        raise NothingToDo(f"token {found.id} ({found.name}) is revoked already")
    return Proposal(actor=order.actor, reason=order.reason, body=TokenRevoked(token_id=found.id, at=now))


def _latest_of(world: World, name: str) -> TokenEntry | None:
    named = [token for token in world.tokens.values() if token.name == name]
    return max(named, key=lambda token: (token.revoked_at is None, token.created_at), default=None)


def _end(now: float, life_s: float | None) -> float | None:
    if life_s is None:
        return None
    if not 0 < life_s <= LIFE_S_MAX:
        raise Refusal("invalid", f"found a life of {life_s:g} s", hint="Use up to ten years, for example 90d, or leave it out")
    return now + life_s
