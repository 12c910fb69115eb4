"""A batch answers each of its lines as the deployment it names would, and says which it could not."""

import json
from typing import Any

import pytest

from changeover.azure_sim.batches import TAKES_S, Batches
from changeover.azure_sim.files_shelf import Held
from changeover.azure_sim.refusals import RefusalError
from changeover.azure_sim.resource import Resource
from tests.unit.azure_sim.wire import DOCUMENT, KEY, Call, a_stage, ask, chat

FIRST = "The reader opens a file (in text mode), which must exist."


class Desk:
    """Batches of a resource whose clock the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.resource = Resource(a_stage(), key=KEY)
        self.batches = Batches(self.resource, now=lambda: self.now)

    def upload(self, *lines: Any) -> str:
        content = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
        self.resource.files.add(Held(id="file-in", name="in.jsonl", purpose="batch", created=0, content=content))
        return "file-in"

    def create(self, *lines: Any, endpoint: str = "/chat/completions") -> dict[str, Any]:
        return self.batches.create(json.dumps({"input_file_id": self.upload(*lines), "endpoint": endpoint}).encode())

    def lines(self, file_id: str) -> dict[str, Any]:
        read = [json.loads(line) for line in self.resource.files.get(file_id).content.splitlines()]
        return {line["custom_id"]: line["response"] for line in read}


def line(custom_id: str, deployment: str = "prod-v0115", **body: Any) -> dict[str, Any]:
    return {"custom_id": custom_id, "method": "POST", "url": "/chat/completions", "body": {"model": deployment, **chat(), **body}}


def test_every_line_is_answered_by_the_deployment_it_names() -> None:
    desk = Desk()
    begun = desk.create(line("one"), line("two", "prod-v0901"))
    assert (begun["status"], begun["output_file_id"]) == ("in_progress", None)
    desk.now += TAKES_S
    done = desk.batches.shown(begun["id"])
    assert (done["status"], done["request_counts"]) == ("completed", {"total": 2, "completed": 2, "failed": 0})
    answers = desk.lines(done["output_file_id"])
    assert answers["one"]["body"]["choices"][0]["message"]["content"] == FIRST
    assert answers["two"]["body"]["model"] == "summariser-2026-09-01"


def test_lines_that_cannot_be_answered_stand_in_a_file_of_their_own() -> None:
    desk = Desk()
    begun = desk.create(line("good"), line("gone", "nowhere"), b"{", line("odd", messages=3))
    desk.now += TAKES_S
    done = desk.batches.shown(begun["id"])
    assert done["request_counts"] == {"total": 4, "completed": 1, "failed": 3}
    errors = desk.lines(done["error_file_id"])
    assert {name: answer["status_code"] for name, answer in errors.items()} == {"gone": 404, "line-3": 400, "odd": 400}
    assert errors["gone"]["body"]["error"]["code"] == "DeploymentNotFound"


def test_a_batch_can_be_cancelled_until_it_is_done() -> None:
    desk = Desk()
    early, late = desk.create(line("one")), desk.create(line("two"))
    assert desk.batches.cancel(early["id"])["status"] == "cancelled"
    desk.now += TAKES_S
    assert desk.batches.cancel(late["id"])["status"] == "completed"
    assert [each["status"] for each in desk.batches.all()["data"]] == ["cancelled", "completed"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"input_file_id": "none", "endpoint": "/chat/completions"}, 404),
        ({"input_file_id": "file-in", "endpoint": "/images"}, 400),
        ({"endpoint": "/chat/completions"}, 400),
    ],
)
def test_what_is_no_batch_is_refused(body: dict[str, Any], status: int) -> None:
    desk = Desk()
    desk.upload(line("one"))
    with pytest.raises(RefusalError) as refused:
        desk.batches.create(json.dumps(body).encode())
    assert refused.value.status == status


@pytest.mark.parametrize("root", ["/openai/v1/", "/openai/"])
def test_both_surfaces_take_batches(root: str) -> None:
    query = "" if "v1" in root else "?api-version=2024-10-21"
    resource = Resource(a_stage(), key=KEY)
    content = json.dumps({"custom_id": "a", "body": {"model": "prod-v0115", "messages": [{"role": "user", "content": DOCUMENT}]}})
    resource.files.add(Held(id="file-in", name="in.jsonl", purpose="batch", created=0, content=content.encode()))
    body = {"input_file_id": "file-in", "endpoint": "/chat/completions", "completion_window": "24h"}
    (made,) = ask(resource, Call(path=f"{root}batches{query}", json=body))
    assert made.json()["object"] == "batch"
    listed, cancelled, none = ask(
        resource,
        Call(path=f"{root}batches{query}", method="GET"),
        Call(path=f"{root}batches/x{query}", method="GET"),
        Call(path=f"{root}batches/x/y{query}", method="GET"),
    )
    assert (len(resource.files.all()), cancelled.status_code, none.status_code, listed.status_code) == (1, 404, 404, 200)
