"""The control plane's own tokens: made, listed, revoked. A secret leaves once, in the answer that makes it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.bodies import actor_of, read_json
from changeover.api.commanding import REASON_CHARACTERS_MAX, Reason
from changeover.api.desk import desk_of
from changeover.api.errors import answer
from changeover.api.token_answers import NewTokenAnswer, TokenAnswer, TokensAnswer, TokenView
from changeover.ports.mint import Mint
from changeover.rollout.order import Order
from changeover.rollout.role import Role
from changeover.rollout.token_commands import TokenRequest, create_token, revoke_token
from changeover.rollout.token_ring import SECRET_PREFIX, TokenEntry, is_token
from changeover.rollout.world import TokenCreated, TokenRevoked
from changeover.traffic.keys import hash_of

ID_PREFIX: Final = "t-"
ID_DIGITS: Final = 8


class TokenOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make. ``life_s`` in seconds; without it it is good until it is revoked."""

    name: str
    role: Role
    tasks: tuple[str, ...] = ()
    life_s: float | None = None
    reason: Reason = ""
    expected_revision: int | None = None


def routes_for(mint: Mint) -> Sequence[Route]:
    """The calls about tokens, with secrets from ``mint``."""

    async def create(request: Request) -> Response:
        """Make a secret, commit its hash, answer with both. The answer must not be kept by anything on its way."""
        sent = await read_json(request, TokenOrder)
        desk = desk_of(request)
        order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
        secret, now = SECRET_PREFIX + mint.secret(), desk.clock.now()
        assert is_token(secret), "a secret of another form could not be told from none"
        wanted = TokenRequest(
            id=ID_PREFIX + desk.dice.token()[:ID_DIGITS],
            hash=hash_of(secret.encode()),
            name=sent.name.strip(),
            role=sent.role,
            tasks=sent.tasks,
            life_s=sent.life_s,
        )
        change = await desk.office.commit(lambda world: create_token(world, wanted, order=order, now=now))
        assert isinstance(change.body, TokenCreated)
        response = answer(NewTokenAnswer(revision=change.revision, token=_view(change.body.token, now), secret=secret), status=201)
        response.headers["cache-control"] = "no-store"
        return response

    return (
        Route("/api/v1/tokens", create, methods=["POST"]),
        Route("/api/v1/tokens", listing, methods=["GET"]),
        Route("/api/v1/tokens/{token}", revoke, methods=["DELETE"]),
    )


async def listing(request: Request) -> Response:
    """Every token, the newest first; never a secret, nor its hash."""
    desk = desk_of(request)
    world = await desk.office.read(lambda store: store.world())
    now = desk.clock.now()
    newest_first = sorted(world.tokens.values(), key=lambda token: (-token.created_at, token.id))
    return answer(TokensAnswer(now=now, tokens=tuple(_view(token, now) for token in newest_first)))


async def revoke(request: Request) -> Response:
    """Revoke a token by its id or its holder's name; ``reason`` is a query parameter, since a DELETE has no body."""
    desk, named = desk_of(request), request.path_params["token"]
    order = Order(actor=actor_of(request), reason=request.query_params.get("reason", "")[:REASON_CHARACTERS_MAX])
    now = desk.clock.now()
    change = await desk.office.commit(lambda world: revoke_token(world, token=named, order=order, now=now))
    assert isinstance(change.body, TokenRevoked)
    world = await desk.office.read(lambda store: store.world())
    return answer(TokenAnswer(revision=change.revision, token=_view(world.tokens[change.body.token_id], now)))


def _view(token: TokenEntry, now: float) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        role=token.role,
        tasks=token.tasks,
        standing=token.standing(now),
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )
