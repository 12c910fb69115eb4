"""A start through the control API: the candidate is tried first, with progress for who wants it."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
from starlette.applications import Starlette

from changeover.adapters.memory import SeededDice
from changeover.adapters.memory.prober import ScriptedProber
from changeover.api.app import build_app
from changeover.api.lines import EndLine, Line, ProgressLine
from changeover.controller.preflight import Preflight
from changeover.controller.trial import Pace
from changeover.ports.planes import ShapeReport, TaskShape
from changeover.ports.probing import ProbeAnswer, ProbeCall
from changeover.rollout.world import RolloutStarted
from changeover.settings.file import parse
from changeover.wire.sent_shape import SentShape, SentValue, ValueKind
from changeover.wire.surface import Surface
from tests.unit.api.bench import GATEWAY, T0, Bench
from tests.unit.controller.providers import OK, no_sleep, refusal, refusing

ORDER = {"task": "email", "candidate": "new", "reason": "cheaper"}
SHAPE = SentShape(
    surface=Surface.CHAT,
    values={
        "messages": (SentValue(kind=ValueKind.OBJECTS),),
        "max_tokens": (SentValue(kind=ValueKind.NUMBER, value=200),),
        "temperature": (SentValue(kind=ValueKind.NUMBER, value=0.5),),
    },
)


class TryingBench(Bench):
    """A bench whose candidates are tried: ``answer`` is their provider."""

    def __init__(self) -> None:
        self.answer: Callable[[ProbeCall], ProbeAnswer] = lambda _: OK
        self.prober = ScriptedProber(self._answered)
        super().__init__()

    def _answered(self, call: ProbeCall) -> ProbeAnswer:
        return self.answer(call)

    def build(self, *, token: str | None = None, planes: bool = True) -> Starlette:
        return build_app(
            office=self.office,
            assessor=self.assessor,
            clock=self.clock,
            dice=SeededDice(1),
            declared=lambda: parse(self.config),
            gateway_url=lambda: GATEWAY,
            token=token,
            planes=planes,
            preflight=Preflight(self.office, self.prober, self.clock, pace=Pace(sleep=no_sleep)),
        )


@pytest.fixture
def bench() -> Iterator[TryingBench]:
    with TryingBench() as bench:
        yield bench


def tell(bench: Bench, *tasks: str) -> None:
    report = ShapeReport(plane="p0", boot="b1", shapes=tuple(TaskShape(task=task, shape=SHAPE) for task in tasks))
    assert bench.post("/dp/shapes", report).json() == {"taken": True}


def started(bench: Bench) -> RolloutStarted:
    body = bench.store.changes()[-1].body
    assert isinstance(body, RolloutStarted)
    return body


def test_shapes_are_kept_of_the_tasks_that_there_are(bench: TryingBench) -> None:
    tell(bench, "email", "nobody")
    assert (list(bench.store.shapes("email")), list(bench.store.shapes("nobody"))) == ([SHAPE], [])
    assert bench.post("/dp/shapes", {"plane": "", "boot": "b", "shapes": []}).status_code == 400
    assert bench.post("/dp/shapes", {"plane": "p", "boot": "b", "shapes": [{"task": "email"}]}).status_code == 400


def test_a_start_is_refused_with_every_parameter_that_the_candidate_does_not_take(bench: TryingBench) -> None:
    tell(bench, "email")
    bench.answer = refusing({"max_tokens": "max_completion_tokens", "temperature": ""})
    reply = bench.post("/api/v1/rollouts", ORDER)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (409, "preflight_failed")
    assert [line.split(":")[0] for line in error["details"]] == ["new refuses max_tokens", "new refuses temperature"]
    assert "request: {rename: {max_tokens: max_completion_tokens}, drop: [temperature]}" in error["paste"]
    assert bench.world.tasks["email"].rollout is None


def test_a_start_records_how_its_candidate_was_tried(bench: TryingBench) -> None:
    tell(bench, "email")
    reply = bench.post("/api/v1/rollouts", ORDER)
    assert reply.status_code == 201
    assert reply.json()["preflight"] == {"sent": 2, "shapes": 2, "known": 2}
    assert started(bench).preflight is not None


def test_with_no_traffic_one_plain_request_shows_that_the_candidate_answers(bench: TryingBench) -> None:
    assert bench.post("/api/v1/rollouts", ORDER).json()["preflight"] == {"sent": 1}
    (call,) = bench.prober.calls
    assert sorted(msgspec.json.decode(call.body)) == ["messages", "model"]


def test_a_candidate_that_cannot_be_tried_does_not_start(bench: TryingBench) -> None:
    bench.answer = lambda _: refusal(404, code="DeploymentNotFound")
    reply = bench.post("/api/v1/rollouts", ORDER)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "preflight_unverified")


def test_skipping_wants_a_reason_and_is_recorded(bench: TryingBench) -> None:
    bench.answer = lambda _: refusal(404)
    assert bench.post("/api/v1/rollouts", {**ORDER, "skip_preflight": True, "reason": " "}).status_code == 422
    assert bench.post("/api/v1/rollouts", {**ORDER, "skip_preflight": True}).json()["preflight"] == {"skipped": True}
    assert bench.prober.calls == []


def test_requests_of_the_callers_own_are_tried_too(bench: TryingBench) -> None:
    bench.answer = refusing({"seed": ""})
    sample = {"surface": "chat", "body": {"model": "x", "messages": [], "seed": 1}}
    assert bench.post("/api/v1/rollouts", {**ORDER, "requests": [sample]}).json()["error"]["message"].endswith("seed")
    assert bench.post("/api/v1/rollouts", {**ORDER, "requests": [sample], "skip_preflight": True}).status_code == 422
    wrong = {"surface": "images", "body": {}}
    assert "requests[0]" in bench.post("/api/v1/rollouts", {**ORDER, "requests": [wrong]}).json()["error"]["message"]


def test_every_member_of_a_pool_is_tried(bench: TryingBench) -> None:
    found = bench.run(Preflight(bench.office, bench.prober, bench.clock).check("email", ["new", "other"], samples=(), tell=lambda _: None))
    assert (found.sent, sorted(found.settings)) == (2, ["new", "other"])
    assert {call.deployment.name for call in bench.prober.calls} == {"new", "other"}


def test_what_would_be_refused_anyway_costs_no_request(bench: TryingBench) -> None:
    assert bench.post("/api/v1/rollouts", {**ORDER, "candidate": "old"}).status_code == 422
    assert bench.post("/api/v1/rollouts", {**ORDER, "expected_revision": 99}).json()["error"]["code"] == "stale"
    assert bench.prober.calls == []


def lines(content: bytes) -> list[Line]:
    return [msgspec.json.decode(line, type=Line) for line in content.splitlines()]


def test_who_accepts_lines_hears_of_the_progress_and_gets_the_answer_last(bench: TryingBench) -> None:
    tell(bench, "email")
    reply = bench.post("/api/v1/rollouts", ORDER, accept="application/x-ndjson")
    *progress, end = lines(reply.content)
    assert reply.status_code == 200
    assert progress[0] == ProgressLine(sent=0, text="trying new with 2 request shapes of email")
    assert isinstance(end, EndLine)
    assert (end.status, msgspec.json.decode(end.body)["preflight"]["sent"]) == (201, 2)


def test_a_refusal_after_progress_comes_as_the_last_line(bench: TryingBench) -> None:
    bench.answer = lambda _: refusal(404, code="DeploymentNotFound")
    end = lines(bench.post("/api/v1/rollouts", ORDER, accept="application/x-ndjson").content)[-1]
    assert isinstance(end, EndLine)
    assert (end.status, msgspec.json.decode(end.body)["error"]["code"]) == (409, "preflight_unverified")


def test_what_is_refused_before_any_progress_is_answered_as_ever(bench: TryingBench) -> None:
    reply = bench.post("/api/v1/rollouts", {**ORDER, "candidate": "old"}, accept="application/x-ndjson")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid")


def test_the_rollout_begins_when_its_trial_has_ended(bench: TryingBench) -> None:
    def slow(_: ProbeCall) -> ProbeAnswer:
        bench.clock.advance(60)
        return OK

    bench.answer = slow
    bench.post("/api/v1/rollouts", ORDER)
    assert started(bench).rollout.started_at == T0 + 60
