"""A token does what its role may, under its holder's name; a read-only port does nothing at all."""

from collections.abc import Iterator

import httpx2
import msgspec
import pytest
from starlette.routing import Route

from changeover.api.app import build_app
from changeover.api.least_role import least_role
from changeover.rollout.role import Role
from changeover.rollout.token_ring import is_token
from changeover.settings.file import parse
from tests.unit.api.bench import TOKEN, Bench

PLANE_TOKEN = "gateways-token-9876543210"
OWNER = {"authorization": f"Bearer {TOKEN}"}
SPLIT = {"weights": {"old": 90, "new": 10}}


class Port(Bench):
    """The TCP port of a bench; ``made`` makes a token and answers with the header that shows it."""

    def __init__(self, *, read_only: bool = False) -> None:
        self.read_only = read_only
        super().__init__(token=TOKEN, host="127.0.0.1:8401")

    def build(self, *, token: str | None = None, planes: bool = True):
        return build_app(
            office=self.office,
            assessor=self.assessor,
            clock=self.clock,
            dice=CountingDice(),
            declared=lambda: parse(self.config),
            gateway_url=lambda: None,
            token=token,
            planes=planes,
            plane_token=PLANE_TOKEN,
            mint=self.mint,
            read_only=self.read_only,
        )

    def made(self, name: str, role: str, **said: object) -> dict[str, str]:
        reply = self.post("/api/v1/tokens", {"name": name, "role": role, **said}, **OWNER)
        assert reply.status_code == 201, reply.text
        assert reply.headers["cache-control"] == "no-store"
        return {"authorization": f"Bearer {reply.json()['secret']}"}

    def last_actor(self) -> str:
        return self.store.changes()[-1].actor


class CountingDice:
    def __init__(self) -> None:
        self._thrown = 0

    def token(self) -> str:
        self._thrown += 1
        return f"{self._thrown:08x}" * 4


@pytest.fixture
def port() -> Iterator[Port]:
    with Port() as bench:
        yield bench


def problem(reply: httpx2.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


def test_each_role_is_let_in_to_what_it_may_and_told_what_else_needs(port: Port) -> None:
    viewer, operator, owner = port.made("vera", "viewer"), port.made("otto", "operator"), port.made("olga", "owner")
    for shown in (viewer, operator, owner):
        assert port.get("/api/v1/status", **shown).status_code == 200
        assert port.get("/metrics", **shown).status_code == 200
    refused = port.post("/api/v1/tasks/email/split", SPLIT, **viewer)
    assert problem(refused) == (403, "not_allowed")
    assert refused.json()["error"]["message"] == "vera (viewer) has the role viewer, this needs operator"
    assert port.post("/api/v1/tasks/email/split", SPLIT, **operator).status_code == 200
    assert problem(port.post("/api/v1/keys", {"name": "x"}, **operator)) == (403, "not_allowed")
    assert port.post("/api/v1/keys", {"name": "x"}, **owner).status_code == 201
    assert port.post("/api/v1/tasks/email/rollback", {}, **viewer).status_code == 403
    assert port.post("/api/v1/tasks/email/rollback", {}, **operator).status_code == 200


def test_whoever_may_look_may_ask_what_a_start_would_do(port: Port) -> None:
    viewer, order = port.made("vera", "viewer"), {"task": "email", "candidate": "new"}
    before = port.world.revision
    for said in (order, {**order, "dry_run": False}):
        reply = port.post("/api/v1/rollouts/preview", said, **viewer)
        assert reply.status_code == 200, reply.text
    assert port.world.revision == before
    assert port.post("/api/v1/rollouts", {**order, "dry_run": True}, **viewer).status_code == 403
    assert port.post("/api/v1/rollouts", order, **viewer).status_code == 403


def test_the_actor_is_the_tokens_holder_whatever_a_header_says(port: Port) -> None:
    operator = port.made("otto", "operator")
    forged = {**operator, "x-changeover-actor": "olga (owner)"}
    assert port.post("/api/v1/tasks/email/split", SPLIT, **forged).status_code == 200
    assert port.last_actor() == "otto (operator)"


def test_whoever_owns_the_state_directory_is_who_they_say_but_never_looks_like_a_token(port: Port) -> None:
    said = {**OWNER, "x-changeover-actor": "olga (owner)"}
    assert port.post("/api/v1/tasks/email/split", SPLIT, **said).status_code == 200
    assert port.last_actor() == "olga [owner]"


def test_a_secret_is_told_once_and_kept_nowhere(port: Port) -> None:
    secret = port.made("otto", "operator")["authorization"].removeprefix("Bearer ")
    assert is_token(secret)
    listed = port.get("/api/v1/tokens", **OWNER)
    (view,) = listed.json()["tokens"]
    assert (view["name"], view["role"], view["standing"], view["created_by"]) == ("otto", "operator", "good", "api")
    kept = msgspec.json.encode([port.world, port.store.changes()]).decode()
    for text in (listed.text, kept, port.get("/api/v1/events", **OWNER).text):
        assert secret not in text
    assert port.world.tokens[view["id"]].hash not in listed.text


def test_a_token_ends_when_it_expires_and_when_it_is_revoked(port: Port) -> None:
    brief, revoked = port.made("brief", "operator", life_s=60), port.made("gone", "owner")
    port.clock.advance(59)
    assert port.get("/api/v1/status", **brief).status_code == 200
    port.clock.advance(1)
    assert problem(port.get("/api/v1/status", **brief)) == (401, "unauthorized")
    assert port.delete("/api/v1/tokens/gone?reason=left", **revoked).json()["token"]["standing"] == "revoked"
    assert problem(port.get("/api/v1/status", **revoked)) == (401, "unauthorized")
    assert problem(port.delete("/api/v1/tokens/gone", **OWNER)) == (409, "nothing_to_do")
    assert problem(port.delete("/api/v1/tokens/nobody", **OWNER)) == (404, "not_found")


@pytest.mark.parametrize("word", ["ct-" + "a" * 43, "ct-", "ck-" + "a" * 43, "", PLANE_TOKEN])
def test_a_token_that_nobody_made_opens_nothing(port: Port, word: str) -> None:
    assert problem(port.get("/api/v1/status", authorization=f"Bearer {word}")) == (401, "unauthorized")


@pytest.mark.parametrize("role", ["viewer", "operator", "owner"])
def test_nobody_with_a_role_is_a_data_plane(port: Port, role: str) -> None:
    shown = port.made("somebody", role)
    assert problem(port.get("/dp/table?after=0", **shown)) == (403, "not_allowed")
    assert port.get("/dp/table?after=0", authorization=f"Bearer {PLANE_TOKEN}").status_code == 200


def test_a_token_for_some_tasks_changes_those_alone_and_looks_at_all(port: Port) -> None:
    limited = port.made("ci", "owner", tasks=["chat"])
    assert port.get("/api/v1/tasks/email", **limited).status_code == 200
    refused = port.post("/api/v1/tasks/email/split", SPLIT, **limited)
    assert problem(refused) == (403, "not_allowed")
    assert "ci (owner) may change chat; this call changes email" in refused.text
    assert "split" not in refused.text.replace("/split", "")
    assert port.world.tasks["email"].split is None
    assert port.post("/api/v1/tasks/chat/split", SPLIT, **limited).status_code == 200
    assert port.post("/api/v1/tasks/chat/rollback", {}, **limited).status_code == 200
    assert problem(port.post("/api/v1/keys", {"name": "x"}, **limited)) == (403, "not_allowed")
    assert problem(port.post("/api/v1/tokens", {"name": "x", "role": "owner"}, **limited)) == (403, "not_allowed")
    assert problem(port.post("/api/v1/scores", [], **limited)) == (403, "not_allowed")


def test_on_the_socket_no_token_is_asked_for_but_one_that_is_shown_counts() -> None:
    with Port() as bench:
        viewer = bench.made("vera", "viewer")
        socket = httpx2.AsyncClient(transport=httpx2.ASGITransport(bench.build(token=None)), base_url="http://localhost")
        body = msgspec.json.encode(SPLIT)
        kind = {"content-type": "application/json"}
        path = "/api/v1/tasks/email/split"
        assert bench.run(socket.post(path, headers={**kind, **viewer}, content=body)).status_code == 403
        assert bench.run(socket.get("/api/v1/status", headers={"authorization": "Bearer ct-" + "a" * 43})).status_code == 401
        assert bench.run(socket.post(path, headers=kind, content=body)).status_code == 200
        bench.run(socket.aclose())


def test_a_read_only_port_refuses_every_change_by_whomever_and_the_socket_does_not() -> None:
    with Port(read_only=True) as bench:
        for path, body in (("/api/v1/tasks/email/split", SPLIT), ("/api/v1/tasks/email/rollback", {}), ("/api/v1/keys", {"name": "x"})):
            refused = bench.post(path, body, **OWNER)
            assert problem(refused) == (403, "read_only")
            assert "a rollback too" in refused.json()["error"]["hint"]
        assert bench.delete("/api/v1/tokens/x", **OWNER).status_code == 403
        assert bench.get("/api/v1/status", **OWNER).status_code == 200
        acknowledged = {"plane": "p0", "boot": "b1", "revision": 1}
        assert bench.post("/dp/ack", acknowledged, authorization=f"Bearer {PLANE_TOKEN}").status_code == 200, "data planes report on"
        socket = httpx2.AsyncClient(transport=httpx2.ASGITransport(bench.build(token=None)), base_url="http://localhost")
        kind = {"content-type": "application/json"}
        assert bench.run(socket.post("/api/v1/tasks/email/split", headers=kind, content=msgspec.json.encode(SPLIT))).status_code == 200
        bench.run(socket.aclose())


APPROVED = """\
rollouts:
  with-approval:
    task: email
    candidate: new
    steps:
      - approve: {roles: [operator]}
      - weight: 50
      - analysis: {require: pass}
      - weight: 100
"""


@pytest.mark.parametrize("four_eyes", [False, True])
def test_with_four_eyes_an_operator_does_not_approve_what_they_started_and_another_does(port: Port, *, four_eyes: bool) -> None:
    port.config += APPROVED + ("policy: {four_eyes: true}\n" if four_eyes else "")
    otto, otis = port.made("otto", "operator"), port.made("otis", "operator")
    began = port.post("/api/v1/rollouts", {"task": "email", "candidate": "new", "skip_preflight": True, "reason": "try it"}, **otto)
    assert began.status_code == 201, began.text
    own = port.post("/api/v1/rollouts/email/approve", {}, **otto)
    if four_eyes:
        assert problem(own) == (403, "not_allowed")
        assert "otto (operator) started this rollout" in own.text
        assert port.post("/api/v1/rollouts/email/approve", {}, **otis).status_code == 200
    else:
        assert own.status_code == 200
    (rollout,) = port.world.rollouts.values()
    assert [(each.actor, each.role) for each in rollout.progress.approvals] == [
        ("otis (operator)" if four_eyes else "otto (operator)", "operator")
    ]


OPERATORS = {
    "/api/v1/rollouts",
    "/api/v1/rollouts/{rollout}/approve",
    "/api/v1/rollouts/{rollout}/pause",
    "/api/v1/rollouts/{rollout}/resume",
    "/api/v1/rollouts/{rollout}/retry",
    "/api/v1/scores",
    "/api/v1/alerts/test",
    "/api/v1/tasks/{task}/release",
    "/api/v1/tasks/{task}/rollback",
    "/api/v1/tasks/{task}/split",
}
OWNERS = {
    "/api/v1/apply",
    "/api/v1/keys",
    "/api/v1/keys/required",
    "/api/v1/keys/{key}",
    "/api/v1/keys/{key}/rotate",
    "/api/v1/rollouts/{rollout}/override",
    "/api/v1/rollouts/{rollout}/promote",
    "/api/v1/tokens",
    "/api/v1/tokens/{token}",
}


def test_every_call_that_changes_something_needs_more_than_a_viewer(port: Port) -> None:
    found: dict[Role, set[str]] = {role: set() for role in Role}
    for route in port.app.routes:
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"GET", "HEAD"}:
            if not route.path.startswith("/dp/"):
                found[least_role(method, route.path)].add(route.path)
    assert found[Role.VIEWER] == {"/api/v1/plan", "/api/v1/rollouts/preview"}
    assert found[Role.OPERATOR] >= OPERATORS
    assert found[Role.OWNER] >= OWNERS


@pytest.mark.parametrize(
    "path", ["/api/v1/rollouts/x/promote", "/api/v1/rollouts\n", "/api/v1/scores/", "/api/v1/tasks/a/b/split", "/api/v1/new"]
)
def test_what_nobody_has_thought_of_needs_the_owner(path: str) -> None:
    assert least_role("POST", path) is Role.OWNER
    assert least_role("DELETE", "/api/v1/scores") is Role.OWNER
