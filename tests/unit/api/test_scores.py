"""Scores from anyone entitled."""

from collections.abc import Iterator

import pytest

from changeover.api.answers import CompareAnswer, StatusAnswer
from changeover.api.unread_scores import SOURCES_MAX, UnreadScores
from changeover.evidence.score import Score
from tests.unit.api.bench import T0, Bench, requests

ONE = {"request_id": "r1", "name": "rating", "value": 0.5}
NDJSON = "application/x-ndjson"


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Bench() as bench:
        yield bench


def post(bench: Bench, body: object) -> tuple[int, dict[str, object]]:
    reply = bench.post("/api/v1/scores", body)
    return reply.status_code, reply.json()


def test_one_score_or_a_list_is_taken_and_sending_again_adds_nothing(bench: Bench) -> None:
    assert post(bench, ONE) == (200, {"taken": 1, "new": 1})
    assert post(bench, [ONE, {**ONE, "scorer": "anna"}]) == (200, {"taken": 2, "new": 1})


def test_the_first_value_stays_and_its_time_is_ours(bench: Bench) -> None:
    sent = requests(1, attempt=1, permille=100, at=T0, worse=False)[0]
    bench.post("/dp/observations", {"plane": "p", "boot": "b", "sequence": 1, "watermark_at": T0, "observations": [sent]})
    post(bench, {**ONE, "request_id": sent.request_id, "value": 0.25})
    post(bench, {**ONE, "request_id": sent.request_id, "value": 0.75})
    assert [row.score for row in bench.store.rows(task="email", attempt=1, since=T0, until=T0 + 1, score="rating")] == [0.25]
    assert post(bench, {**ONE, "received_at": 1.0})[0] == 422


def test_lines_are_taken_as_a_list_is(bench: Bench) -> None:
    body = b'{"request_id":"r1","name":"rating","value":1}\n\n{"request_id":"r2","name":"rating","value":2,"scorer":"anna"}\r\n'
    assert bench.post_bytes("/api/v1/scores", body, NDJSON).json() == {"taken": 2, "new": 2}


def test_every_fault_is_named_by_its_place_and_the_rest_is_taken(bench: Bench) -> None:
    code, body = post(bench, [ONE, {**ONE, "request_id": " ", "name": ""}, {**ONE, "value": "high"}, {**ONE, "vlaue": 1}, 7])
    assert (code, body["new"]) == (422, 1)
    error = body["error"]
    assert isinstance(error, dict)
    assert [fault["path"] for fault in error["faults"]] == ["[1].request_id", "[1].name", "[2]", "[3]", "[4]"]
    assert error["message"] == "4 of 5 scores cannot be used; the other 1 were taken"


def test_a_value_that_is_no_finite_number_is_refused(bench: Bench) -> None:
    for value in (b"NaN", b"1e999", b"null", b"true"):
        body = b'{"request_id": "r1", "name": "rating", "value": ' + value + b"}"
        assert bench.post_bytes("/api/v1/scores", body, "application/json").status_code == 422


@pytest.mark.parametrize("body", [b"", b" ", b"[", b"[1,]"])
def test_a_body_that_is_no_list_at_all_is_a_bad_request(bench: Bench, body: bytes) -> None:
    assert bench.post_bytes("/api/v1/scores", body, "application/json").status_code == 400


def test_no_lines_at_all_are_no_scores(bench: Bench) -> None:
    assert bench.post_bytes("/api/v1/scores", b"\n", NDJSON).json() == {"taken": 0, "new": 0}


def test_more_than_a_thousand_are_sent_in_several_calls(bench: Bench) -> None:
    many = [{**ONE, "request_id": f"r{number}"} for number in range(1001)]
    assert post(bench, many)[0] == 422
    assert post(bench, many[:1000]) == (200, {"taken": 1000, "new": 1000})


def test_a_comment_is_bounded(bench: Bench) -> None:
    assert post(bench, {**ONE, "comment": "x" * 10_001})[0] == 422
    assert post(bench, {**ONE, "comment": "x" * 10_000})[0] == 200


def observe(bench: Bench) -> str:
    """A request of the task that the server knows."""
    sent = requests(1, attempt=1, permille=100, at=T0, worse=False)[0]
    bench.post("/dp/observations", {"plane": "p", "boot": "b", "sequence": 1, "watermark_at": T0, "observations": [sent]})
    return sent.request_id


def test_a_score_that_no_criterion_reads_is_taken_and_answered_with_a_warning(bench: Bench) -> None:
    known = observe(bench)
    status, body = post(bench, [{**ONE, "request_id": known, "name": "ratng"}, {**ONE, "request_id": known}])
    assert (status, body["taken"], body["new"], body["unread"]) == (200, 2, 2, 1)
    assert body["warnings"] == [
        "1 score named 'ratng' for task email: no criterion reads them; read there: one of rating (did you mean rating?)"
    ]


def test_a_name_that_another_task_reads_is_unread_where_it_is_not_asked(bench: Bench) -> None:
    bench.config = bench.config.replace("chat: {stable: old}", "chat: {stable: old, criteria: {quality: {source: scores/tone}}}")
    known = observe(bench)
    assert post(bench, {**ONE, "request_id": known, "name": "tone"})[1]["unread"] == 1
    assert "unread" not in post(bench, {**ONE, "request_id": "not seen yet", "name": "tone"})[1]


def test_unread_sources_are_counted_and_named_by_status_and_compare(bench: Bench) -> None:
    bench.start("new")
    known = observe(bench)
    for scorer in ("client", "client", "anna"):
        post(bench, {**ONE, "request_id": known, "name": "ratng", "scorer": scorer})
    found = bench.ask("/api/v1/status", StatusAnswer).unread_scores
    assert [(each.task, each.name, each.scorer, each.count) for each in found] == [
        ("email", "ratng", "client", 2),
        ("email", "ratng", "anna", 1),
    ]
    warnings = bench.ask("/api/v1/tasks/email/compare", CompareAnswer).warnings
    assert "2 scores named 'ratng' by client for task email are read by no criterion" in warnings


def test_a_running_rollout_reads_what_it_was_started_with_whatever_the_file_says_now(bench: Bench) -> None:
    bench.start("new")
    known = observe(bench)
    bench.config = bench.config.replace("scores/rating", "scores/other")
    assert "unread" not in post(bench, {**ONE, "request_id": known})[1]
    bench.config = "no file at all"
    assert post(bench, {**ONE, "request_id": known, "name": "ratng"})[1]["unread"] == 1


def test_the_count_of_unread_sources_is_bounded() -> None:
    unread = UnreadScores()
    unread.note((Score(request_id="r", name=f"n{number}", value=1.0), "email") for number in range(10 * SOURCES_MAX))
    assert len(unread.sources()) == SOURCES_MAX
