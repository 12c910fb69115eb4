"""The control plane's tokens: made, expired, revoked; known by their hash alone."""

import pytest

from changeover.rollout.order import Order
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.role import Role
from changeover.rollout.token_commands import TOKENS_MAX, TokenRequest, create_token, revoke_token
from changeover.rollout.token_ring import DEAD_KEPT, TokenEntry, TokenStanding, is_token, with_token
from changeover.rollout.world import Change, Proposal, World, apply, routing_table
from tests.contract.store_samples import TASK, seeded

T0 = 1_700_000_000.0
ORDER = Order(actor="somebody", reason="because")


def committed(world: World, proposal: Proposal, *, at: float = T0) -> World:
    return apply(world, Change(revision=world.revision + 1, at=at, actor=proposal.actor, reason=proposal.reason, body=proposal.body))


def a_world() -> World:
    return committed(World(), Proposal(actor="serve", reason="first start", body=seeded()))


def request(name: str = "anna", *, identity: str = "t-1", role: Role = Role.OPERATOR, **said: object) -> TokenRequest:
    return TokenRequest(id=identity, hash=f"hash of {identity}", name=name, role=role, **said)  # type: ignore[arg-type]


def with_tokens(*requests: TokenRequest) -> World:
    world = a_world()
    for each in requests:
        world = committed(world, create_token(world, each, order=ORDER, now=T0))
    return world


def test_a_token_is_kept_with_who_made_it_and_named_in_the_log_with_its_role() -> None:
    (token,) = with_tokens(request(tasks=(TASK, TASK), life_s=60.0)).tokens.values()
    assert (token.actor, token.created_by, token.tasks, token.expires_at) == ("anna (operator)", "somebody", (TASK,), T0 + 60)
    assert [token.standing(at) for at in (T0, T0 + 59.9, T0 + 60)] == [TokenStanding.GOOD, TokenStanding.GOOD, TokenStanding.EXPIRED]


def test_tokens_never_reach_a_data_plane() -> None:
    world = with_tokens(request())
    assert routing_table(world) == routing_table(a_world())
    assert world.table_revision == a_world().table_revision


def test_a_revoked_token_stays_revoked_and_is_found_by_its_holders_name() -> None:
    world = with_tokens(request())
    world = committed(world, revoke_token(world, token="anna", order=ORDER, now=T0))
    assert world.tokens["t-1"].standing(0.0) is TokenStanding.REVOKED
    with pytest.raises(NothingToDo):
        revoke_token(world, token="t-1", order=ORDER, now=T0)
    with pytest.raises(Refusal, match="no token 'bo'"):
        revoke_token(world, token="bo", order=ORDER, now=T0)


def test_of_several_of_one_name_the_one_that_is_in_use_is_revoked() -> None:
    world = with_tokens(request())
    world = committed(world, revoke_token(world, token="anna", order=ORDER, now=T0))
    world = committed(world, create_token(world, request(identity="t-2"), order=ORDER, now=T0 + 1))
    assert revoke_token(world, token="anna", order=ORDER, now=T0 + 2).body.token_id == "t-2"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (request("anna"), "has the token t-1 already"),
        (request("anna (owner)", identity="t-2"), "found a name"),
        (request("", identity="t-2"), "found a name"),
        (request("a" * 61, identity="t-2"), "found a name"),
        (request("bo\n", identity="t-2"), "found a name"),
        (request("bo", identity="t-2", tasks=("nobody",)), "no task nobody"),
        (request("bo", identity="t-2", life_s=0.0), "found a life"),
        (request("bo", identity="t-2", life_s=1e12), "found a life"),
        (request("bo", identity="t-1"), "exists already"),
    ],
)
def test_a_token_that_could_not_be_told_from_another_is_refused(wanted: TokenRequest, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        create_token(with_tokens(request()), wanted, order=ORDER, now=T0)


def test_decided_on_an_older_state_nothing_is_made_or_revoked() -> None:
    stale = Order(actor="a", reason="", expected_revision=1)
    world = with_tokens(request())
    with pytest.raises(Refusal, match="decided on revision 1"):
        create_token(world, request("bo", identity="t-2"), order=stale, now=T0)
    with pytest.raises(Refusal, match="decided on revision 1"):
        revoke_token(world, token="anna", order=stale, now=T0)


def test_there_is_a_limit_to_tokens_in_use_and_to_dead_ones_that_are_kept() -> None:
    tokens = {f"t-{n}": TokenEntry(id=f"t-{n}", name=f"n{n}", hash=f"h{n}", role=Role.VIEWER, created_at=T0) for n in range(TOKENS_MAX)}
    world = World(revision=1, tokens=tokens)
    with pytest.raises(Refusal, match="limit"):
        create_token(world, request(identity="new"), order=ORDER, now=T0)
    dead = {
        f"t-{n}": TokenEntry(id=f"t-{n}", name=f"n{n}", hash=f"h{n}", role=Role.VIEWER, created_at=T0, revoked_at=T0 + n)
        for n in range(400)
    }
    kept = with_token(dead, TokenEntry(id="new", name="new", hash="h", role=Role.VIEWER, created_at=T0 + 1000))
    assert (len(kept), "t-0" in kept, "t-399" in kept) == (DEAD_KEPT + 1, False, True)


@pytest.mark.parametrize(
    "text", ["", "ct-", "ct-" + "a" * 42, "ct-" + "a" * 44, "ck-" + "a" * 43, "ct-" + "a" * 42 + "!", "ct-" + "a" * 43 + "\n"]
)
def test_only_what_we_make_has_the_form_of_a_token(text: str) -> None:
    assert not is_token(text)
    assert is_token("ct-" + "a" * 43)
