"""The gateway's keys: made, listed, rotated, revoked. A secret leaves once, in the answer that makes it."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.bodies import actor_of, read_json
from changeover.api.commanding import REASON_CHARACTERS_MAX, Reason
from changeover.api.desk import desk_of
from changeover.api.errors import answer
from changeover.api.key_answers import KeyAnswer, KeysAnswer, KeyView, MintedAnswer
from changeover.ports.mint import Mint
from changeover.rollout.commands import Order
from changeover.rollout.key_commands import KeyRequest, Rotation, create_key, require_keys, revoke_key, rotate_key
from changeover.rollout.world import KeyCreated, Proposal, World
from changeover.traffic.keys import SECRET_PREFIX, KeyEntry, hash_of, is_secret

ID_PREFIX: Final = "k-"
ID_DIGITS: Final = 8


class KeyOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. Durations in seconds; without ``life_s`` it is good until it is revoked."""

    name: str
    tasks: tuple[str, ...] = ()
    default_task: str | None = None
    delay_s: float = 0.0
    life_s: float | None = None
    reason: Reason = ""
    expected_revision: int | None = None


class RotateOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the old key stays good beside the new one, and how long the new one is good (as the old one was)."""

    overlap_s: float
    life_s: float | None = None
    reason: Reason = ""
    expected_revision: int | None = None


class RequireOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    required: bool
    reason: Reason = ""
    expected_revision: int | None = None


def routes_for(mint: Mint) -> Sequence[Route]:
    """The calls about keys, with secrets from ``mint``."""

    async def create(request: Request) -> Response:
        sent = await read_json(request, KeyOrder)
        order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
        now = desk_of(request).clock.now()

        def decide(world: World, key_id: str, hashed: str) -> Proposal:
            wanted = KeyRequest(
                id=key_id,
                hash=hashed,
                name=sent.name,
                tasks=sent.tasks,
                default_task=sent.default_task,
                delay_s=sent.delay_s,
                life_s=sent.life_s,
            )
            return create_key(world, wanted, order=order, now=now)

        return await _minted(request, mint, decide)

    async def rotate(request: Request) -> Response:
        sent = await read_json(request, RotateOrder)
        order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
        now, replaced = desk_of(request).clock.now(), request.path_params["key"]

        def decide(world: World, key_id: str, hashed: str) -> Proposal:
            wanted = Rotation(key_id=replaced, id=key_id, hash=hashed, overlap_s=sent.overlap_s, life_s=sent.life_s)
            return rotate_key(world, wanted, order=order, now=now)

        return await _minted(request, mint, decide)

    return (
        Route("/api/v1/keys", create, methods=["POST"]),
        Route("/api/v1/keys", listing, methods=["GET"]),
        Route("/api/v1/keys/required", require, methods=["POST"]),
        Route("/api/v1/keys/{key}/rotate", rotate, methods=["POST"]),
        Route("/api/v1/keys/{key}", revoke, methods=["DELETE"]),
    )


async def listing(request: Request) -> Response:
    """Every key, the newest first; never a secret, nor its hash."""
    desk = desk_of(request)
    world = await desk.office.read(lambda store: store.world())
    newest_first = sorted(world.keys.values(), key=lambda key: (-key.created_at, key.id))
    now = desk.clock.now()
    return answer(KeysAnswer(required=world.keys_required, now=now, keys=tuple(_view(key, now) for key in newest_first)))


async def require(request: Request) -> Response:
    """Whether gateways serve callers without a key. One that listens to more than its own machine never does."""
    sent = await read_json(request, RequireOrder)
    order = Order(actor=actor_of(request), reason=sent.reason, expected_revision=sent.expected_revision)
    await desk_of(request).office.commit(lambda world: require_keys(world, required=sent.required, order=order))
    return await listing(request)


async def revoke(request: Request) -> Response:
    """Revoke a key; ``reason`` is a query parameter, since a DELETE has no body."""
    desk, key_id = desk_of(request), request.path_params["key"]
    order = Order(actor=actor_of(request), reason=request.query_params.get("reason", "")[:REASON_CHARACTERS_MAX])
    now = desk.clock.now()
    change = await desk.office.commit(lambda world: revoke_key(world, key_id=key_id, order=order, now=now))
    world = await desk.office.read(lambda store: store.world())
    return answer(KeyAnswer(revision=change.revision, key=_view(world.keys[key_id], now)))


async def _minted(request: Request, mint: Mint, decide: Callable[[World, str, str], Proposal]) -> Response:
    """Make a secret, commit its hash, answer with both. The answer must not be kept by anything on its way."""
    desk = desk_of(request)
    secret = SECRET_PREFIX + mint.secret()
    assert is_secret(secret), "a secret of another form could not be told from none"
    key_id, hashed = ID_PREFIX + desk.dice.token()[:ID_DIGITS], hash_of(secret.encode())
    change = await desk.office.commit(lambda world: decide(world, key_id, hashed))
    assert isinstance(change.body, KeyCreated)
    view = _view(change.body.key, desk.clock.now())
    response = answer(MintedAnswer(revision=change.revision, key=view, replaces=change.body.replaces, secret=secret), status=201)
    response.headers["cache-control"] = "no-store"
    return response


def _view(key: KeyEntry, now: float) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        tasks=key.tasks,
        default_task=key.default_task,
        standing=key.standing(now),
        created_at=key.created_at,
        not_before_at=key.not_before_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )
