"""How Resource Manager is asked: again where that helps, page by page, with nothing lost of what it said."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from changeover.adapters.azure import AzureCloud
from changeover.adapters.azure.http import RETRY_AFTER_S_MAX, SILENCES_MAX, TRIES_MAX
from changeover.adapters.credentials import MemoryTokens
from changeover.ports.cloud import CloudError
from changeover.ports.credentials import Token
from changeover.provision.actual import ActualDeployment
from changeover.provision.plan import Order, Step
from changeover.versions import ModelVersion
from tests.unit.adapters.azure.scripted import ACCOUNT, NO_TOKEN, NOW, PATH, SECRET, Reply, Script, refused

MODEL = {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"}
ORDER = Order(name="chat", model=ModelVersion(name="gpt-4o", version="2024-11-20"), sku="Standard", capacity=50, upgrade="NoAutoUpgrade")
PIN = Step(act="pin", account=ACCOUNT, deployment="chat", order=ORDER)
CREATE = Step(act="create", account=ACCOUNT, deployment="chat", order=ORDER)
DELETE = Step(act="delete", account=ACCOUNT, deployment="chat")
GONE = (404, refused("ResourceNotFound"))
OPERATION = {
    "azure-asyncoperation": "https://management.azure.com/subscriptions/s-1/operations/1?api-version=2026-09-01",
    "retry-after": "7",
}


def body(upgrade: str | None = "NoAutoUpgrade", state: str = "Succeeded", **more: Any) -> dict[str, Any]:
    properties = {"model": MODEL, "versionUpgradeOption": upgrade, "provisioningState": state, "raiPolicyName": "strict", **more}
    return {"name": "chat", "sku": {"name": "Standard", "capacity": 50}, "properties": properties}


def listing(cloud: AzureCloud) -> Awaitable[tuple[ActualDeployment, ...]]:
    return cloud.deployments(ACCOUNT)


def carrying(step: Step, told: list[str] | None = None) -> Callable[[AzureCloud], Awaitable[ActualDeployment | None]]:
    said: list[str] = [] if told is None else told
    return lambda cloud: cloud.carry_out(step, tell=said.append)


def fault_of(script: Script, work: Callable[[AzureCloud], Awaitable[Any]] = listing) -> CloudError:
    with pytest.raises(CloudError) as caught:
        script.run(work)
    assert "planted" not in str(caught.value)
    return caught.value


def test_all_pages_are_read_with_the_newest_stable_api_version_and_a_bearer_token() -> None:
    link = f"https://management.azure.com{PATH}?api-version=2026-09-01&$skiptoken=x"
    script = Script((200, {"value": [body()], "nextLink": link}), (200, {"value": [body()], "nextLink": None}))
    assert len(script.run(listing)) == 2
    assert script.calls == [f"GET {PATH}", f"GET {PATH}"]
    assert script.queries == ["api-version=2026-09-01", "api-version=2026-09-01&$skiptoken=x"]
    assert set(script.bearers) == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    "link", ["https://elsewhere.example/x", "http://management.azure.com/x", "https://management.azure.com.evil.example/x"]
)
def test_no_token_is_sent_where_an_answer_points_to(link: str) -> None:
    script = Script((200, {"value": [], "nextLink": link}))
    assert fault_of(script).fault == "unreadable"
    assert len(script.calls) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        (408, None),
        (429, refused("TooManyRequests")),
        (500, b"<html>"),
        (503, None),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(trouble: Reply) -> None:
    script = Script(trouble, trouble, (200, {"value": [body()]}))
    assert len(script.run(listing)) == 1
    assert script.waits == [1.0, 2.0]


def test_the_service_says_how_long_to_wait_within_reason() -> None:
    later = {"retry-after": "Sat, 21 Nov 2026 00:00:00 GMT"}
    script = Script((429, None, {"retry-after": "17"}), (429, None, {"retry-after": "0"}), (503, None, later), (200, {"value": []}))
    script.run(listing)
    assert script.waits == [17.0, 2.0, RETRY_AFTER_S_MAX]


def test_a_write_waits_for_another_one_and_trying_again_ends() -> None:
    script = Script(GONE, (409, refused("RequestConflict", "Another operation is being performed")))
    error = fault_of(script, carrying(CREATE))
    assert (error.fault, error.code, len(script.calls)) == ("busy", "RequestConflict", 1 + TRIES_MAX)
    assert "Another operation" in str(error)


def test_a_conflict_about_a_read_is_told_at_once() -> None:
    script = Script((409, refused("MissingSubscriptionRegistration", "The subscription is not registered")))
    assert "not registered" in str(fault_of(script))
    assert len(script.calls) == 1


def test_a_region_is_asked_for_by_its_short_name() -> None:
    script = Script((200, {"value": []}))
    script.run(lambda cloud: cloud.region("s-1", "Sweden Central"))
    assert set(script.calls) == {
        f"GET /subscriptions/s-1/providers/Microsoft.CognitiveServices/locations/swedencentral/{what}" for what in ("models", "usages")
    }


def test_nobody_is_waited_for_that_never_answers() -> None:
    script = Script(httpx2.ConnectError("refused"))
    error = fault_of(script)
    assert (error.fault, len(script.calls)) == ("unreachable", SILENCES_MAX)
    assert str(error) == "no answer from management.azure.com: refused"


@pytest.mark.parametrize(
    ("status", "code", "fault"),
    [
        (400, "InsufficientQuota", "refused"),
        (403, "AuthorizationFailed", "forbidden"),
        (404, "ResourceNotFound", "missing"),
        (401, "InvalidAuthenticationToken", "forbidden"),
    ],
)
def test_what_is_refused_for_good_is_told_in_the_services_words_at_once(status: int, code: str, fault: str) -> None:
    script = Script((status, refused(code, "because\n of that")))
    error = fault_of(script)
    assert (error.fault, error.code) == (fault, code)
    assert f"GET {PATH} was answered with {status}, {code}: because of that" in str(error)
    assert len(script.calls) == (2 if status == 401 else 1)


def test_a_token_that_ends_soon_or_is_not_taken_is_asked_for_anew() -> None:
    tokens = MemoryTokens(
        Token(value="a", expires_at=NOW + 60), Token(value="b", expires_at=NOW + 999), Token(value="c", expires_at=NOW + 999)
    )
    script = Script((200, {"value": []}), (401, None), (200, {"value": []}), tokens=tokens)

    async def twice(cloud: AzureCloud) -> None:
        await cloud.deployments(ACCOUNT)
        await cloud.deployments(ACCOUNT)

    script.run(twice)
    assert script.bearers == ["Bearer a", "Bearer b", "Bearer c"]


def test_without_a_token_nothing_is_sent() -> None:
    script = Script((200, {"value": []}), tokens=NO_TOKEN)
    error = fault_of(script)
    assert (error.fault, script.calls) == ("no-token", [])


@pytest.mark.parametrize("answer", [b"not json", {"value": [{"name": 3}]}, {"value": [{"name": "a", "sku": "x"}]}])
def test_an_answer_that_is_not_as_documented_is_a_fault_of_its_own(answer: Any) -> None:
    assert fault_of(Script((200, answer))).fault == "unreadable"


def test_a_pin_sends_back_all_that_is_there_with_the_option_and_reads_it_back() -> None:
    before: dict[str, Any] = {
        **body(
            None, capabilities={"chatCompletion": "true"}, rateLimits=[], currentCapacity=50, spilloverDeploymentName="other", odd={"a": 1}
        ),
        "id": "/x",
        "etag": '"1"',
        "systemData": {},
        "tags": {"team": "a"},
    }
    before["sku"]["tier"] = "kept"
    script = Script((200, before), (200, body(state="Accepted")), (200, body(state="Creating")), (200, body()))
    told: list[str] = []
    after = script.run(carrying(PIN, told))
    assert script.calls == [f"GET {PATH}/chat", f"PUT {PATH}/chat", f"GET {PATH}/chat", f"GET {PATH}/chat"]
    assert script.bodies[1] == {
        "sku": {"name": "Standard", "capacity": 50, "tier": "kept"},
        "tags": {"team": "a"},
        "properties": {
            "model": MODEL,
            "versionUpgradeOption": "NoAutoUpgrade",
            "raiPolicyName": "strict",
            "spilloverDeploymentName": "other",
            "odd": {"a": 1},
        },
    }
    assert after is not None
    assert after.upgrade == "NoAutoUpgrade"
    assert told == ["chat: Creating"]


def test_an_operation_is_followed_to_its_end_as_often_as_the_service_asks() -> None:
    script = Script(
        GONE, (201, body(state="Accepted"), OPERATION), (200, {"status": "InProgress"}), (200, {"status": "Succeeded"}), (200, body())
    )
    script.run(carrying(CREATE))
    assert script.calls[2:4] == ["GET /subscriptions/s-1/operations/1"] * 2
    assert script.waits == [7.0, 2.0]


def test_an_operation_that_fails_is_told_in_its_own_words() -> None:
    failed = {"status": "Failed", **refused("InsufficientQuota", "10 too many")}
    error = fault_of(Script(GONE, (201, body(), OPERATION), (200, failed)), carrying(CREATE))
    assert (error.fault, error.code) == ("refused", "InsufficientQuota")
    assert "10 too many" in str(error)


@pytest.mark.parametrize("found", [None, "OnceNewDefaultVersionAvailable"])
def test_a_pin_that_is_not_read_back_is_none(found: str | None) -> None:
    error = fault_of(Script((200, body(None)), (200, body()), (200, body(found))), carrying(PIN))
    assert error.fault == "not-as-ordered"
    assert f"upgrade is {found or 'not said'} and was to be NoAutoUpgrade" in str(error)


def test_what_is_so_already_is_not_written_and_what_is_under_way_is_waited_for() -> None:
    script = Script((200, body(state="Updating")), (200, body()))
    told: list[str] = []
    script.run(carrying(PIN, told))
    assert script.calls == [f"GET {PATH}/chat"] * 2
    assert told == ["chat: Updating", "chat is so already"]


def test_a_deployment_that_failed_is_written_again() -> None:
    script = Script((200, body(state="Failed")), (200, body()), (200, body()))
    script.run(carrying(CREATE))
    assert script.calls[1] == f"PUT {PATH}/chat"


def test_a_deletion_is_over_when_nothing_is_there() -> None:
    location = {"location": OPERATION["azure-asyncoperation"]}
    script = Script((200, body()), (202, None, location), (202, None), (204, None), (200, body()), GONE)
    assert script.run(carrying(DELETE)) is None
    assert script.calls[1] == f"DELETE {PATH}/chat"


def test_names_are_sent_as_names() -> None:
    script = Script(GONE)
    script.run(carrying(Step(act="delete", account=ACCOUNT, deployment="a/../b?c")))
    assert script.calls == [f"GET {PATH}/a/../b?c"]
    assert script.queries == ["api-version=2026-09-01"]
