"""Calls can be made to go wrong; what exists outlives the process; the stage shows itself to a person."""

from pathlib import Path

import httpx2
import pytest

from changeover.azure_sim.arm.declaration import DeclarationError
from tests.integration.azure_sim.stand_in import KEY, deployment_body, one_account, running_azure


def test_planted_faults_come_in_their_order_and_are_used_up() -> None:
    with running_azure(one_account()) as azure:
        azure.tell("faults", [{"method": "PUT", "status": 429, "retry_after": 7}, {"method": "PUT", "after": 1, "status": 500}])
        replies = [azure.put(f"d{number}") for number in range(4)]
        assert [reply.status_code for reply in replies] == [429, 201, 500, 201]
        assert replies[0].headers["retry-after"] == "7"
        assert replies[0].json()["error"]["code"] == "TooManyRequests"
        assert [(call["status"], call["planted"]) for call in azure.shown("requests")] == [
            (429, True),
            (201, False),
            (500, True),
            (201, False),
        ]


def test_a_fault_for_one_path_leaves_the_others_alone() -> None:
    with running_azure(one_account()) as azure:
        azure.tell("faults", [{"path": "/DEPLOYMENTS/a", "status": 503, "calls": 5}])
        assert [azure.put(name).status_code for name in ("a", "b")] == [503, 201]


def test_an_answer_may_be_lost_after_the_deed_was_done() -> None:
    with running_azure(one_account()) as azure:
        azure.tell("faults", [{"method": "PUT", "performed": True, "hang": True}])
        with pytest.raises(httpx2.ReadTimeout):
            azure.client.put(
                f"{azure.account_path()}/deployments/done?api-version=2025-09-01",
                json=deployment_body(),
                headers={"authorization": f"Bearer {KEY}"},
                timeout=0.2,
            )
        assert azure.deployment("done")["properties"]["provisioningState"] == "Succeeded"


def test_an_accepted_creation_may_fail_later() -> None:
    with running_azure(one_account(), write_s=10.0) as azure:
        azure.tell("faults", [{"method": "PUT", "operation": True, "code": "InternalServerError", "message": "No room."}])
        reply = azure.put("failed")
        assert reply.status_code == 201
        azure.advance(seconds=10)
        operation = azure.arm("GET", reply.headers["azure-asyncoperation"].removeprefix(azure.url), api=None).json()
        assert (operation["status"], operation["error"]) == ("Failed", {"code": "InternalServerError", "message": "No room."})
        assert azure.deployment("failed")["properties"]["provisioningState"] == "Failed"
        assert azure.chat("failed").status_code == 404


def test_everything_outlives_the_process(tmp_path: Path) -> None:
    state = tmp_path / "azure.json"
    with running_azure(one_account(), state=state) as azure:
        azure.put("kept", versionUpgradeOption="NoAutoUpgrade", unknown=1)
        azure.tell("quota", [{"sku": "Standard", "model": "gpt-4o", "limit": 15}])
        azure.advance(days=100)
        before = azure.deployment("kept")
    with running_azure(state=state) as azure:
        assert azure.deployment("kept") == before
        assert azure.chat("kept").status_code == 200
        assert azure.put("more").json()["error"]["code"] == "InsufficientQuota"
        assert azure.shown("clock")["now"] > "2027-02"
    assert KEY not in state.read_text()


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "azure.json"
    state.write_text("{}")
    with pytest.raises(DeclarationError, match="expected the state of an earlier run"), running_azure(state=state):
        pass


def test_controls_need_the_key_to_change_and_say_what_they_did_not_understand() -> None:
    with running_azure() as azure:
        assert azure.client.put("/sim/clock", json={"advance_days": 1}).status_code == 401
        key = {"api-key": KEY}
        assert azure.client.put("/sim/clock", json={"tomorrow": 1}, headers=key).status_code == 400
        assert azure.client.put("/sim/clock", json={"now": "soon"}, headers=key).status_code == 400
        assert azure.client.put("/sim/log", json=[], headers=key).status_code == 400
        assert azure.client.get("/sim/weather").status_code == 404
        assert azure.client.delete("/sim/clock", headers=key).status_code == 405
        assert azure.shown("clock")["moved_s"] == azure.cloud.clock.moved_s


def test_the_page_shows_deployments_and_escapes_what_it_shows() -> None:
    with running_azure() as azure:
        azure.arm("PUT", f"{azure.account_path()}/deployments/%3Cb%3E", deployment_body())
        reply = azure.client.get("/sim")
        assert reply.headers["content-type"].startswith("text/html")
        assert "gpt4o-prod-v1120" in reply.text
        assert "&lt;b&gt;" in reply.text
        assert "<b>" not in reply.text
