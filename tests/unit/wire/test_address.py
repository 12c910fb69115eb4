"""Where a request goes on: each kind of account in each of its forms."""

import pytest

from changeover.versions import Account, AccountKind, Deployment, ModelVersion, SecretReference
from changeover.wire.address import is_v1, upstream_model, upstream_path
from changeover.wire.surface import read_path


def account(kind: AccountKind, endpoint: str = "https://here.example", api: str = "") -> Account:
    return Account(name="a", kind=kind, endpoint=endpoint, auth=SecretReference(source="none"), api=api)


DATED, V1 = account("azure-openai"), account("azure-openai", api="v1")
OPENAI, COMPATIBLE = account("openai"), account("openai-compatible", "http://localhost:8000/v1")


def path(url: str, to: Account, deployment: str | None = "d 1") -> str:
    ask = read_path(url.encode())
    assert ask is not None
    return upstream_path(ask, account=to, deployment=deployment).decode()


@pytest.mark.parametrize("url", ["/v1{}", "/openai/v1{}", "/openai/deployments/mail{}?api-version=2024-10-21", "{}", "/t/mail/v1{}"])
@pytest.mark.parametrize("operation", ["/chat/completions", "/completions", "/embeddings", "/images/generations", "/audio/transcriptions"])
def test_every_form_that_comes_in_becomes_the_form_of_the_account(operation: str, url: str) -> None:
    assert path(url.format(operation), DATED) == f"/openai/deployments/d%201{operation}?api-version=2024-10-21"
    assert path(url.format(operation), V1) == f"/openai/v1{operation}"
    assert path(url.format(operation), OPENAI) == f"/v1{operation}"
    assert path(url.format(operation), COMPATIBLE) == f"/v1{operation}"


@pytest.mark.parametrize("operation", ["/responses", "/responses/r1/cancel", "/files", "/batches/b1", "/models"])
def test_in_azures_dated_form_the_body_names_the_deployment_of_these(operation: str) -> None:
    assert path("/v1" + operation, DATED) == f"/openai{operation}?api-version=2024-10-21"
    assert path("/openai/v1" + operation, V1) == f"/openai/v1{operation}"


def test_responses_asked_for_under_a_deployment_leave_it() -> None:
    assert (
        path("/openai/deployments/mail/responses?api-version=2025-04-01-preview", DATED)
        == "/openai/responses?api-version=2025-04-01-preview"
    )


def test_what_stood_under_a_deployment_stays_there() -> None:
    assert path("/openai/deployments/mail/extensions/chat", DATED) == "/openai/deployments/d%201/extensions/chat?api-version=2024-10-21"
    assert path("/openai/extensions/chat", DATED) == "/openai/extensions/chat?api-version=2024-10-21"


def test_without_a_deployment_no_path_makes_one_up() -> None:
    assert path("/v1/images/generations", DATED, None) == "/openai/images/generations?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("query", "api", "sent"),
    [
        ("api-version=2025-04-01-preview", "", "?api-version=2025-04-01-preview"),
        ("api-version=2025-04-01-preview", "2024-06-01", "?api-version=2025-04-01-preview"),
        ("", "2024-06-01", "?api-version=2024-06-01"),
        ("api-version=preview", "2024-06-01", "?api-version=2024-06-01"),
        ("api-version=../x", "", "?api-version=2024-10-21"),
        ("api-version=2024-06-01&api-version=2024-10-21", "", "?api-version=2024-10-21"),
        ("limit=2&&after=f1&api-version=2024-06-01", "", "?limit=2&after=f1&api-version=2024-06-01"),
        ("api-version=2024-06-01", "v1", ""),
        ("api-version=preview&limit=2", "v1", "?limit=2&api-version=preview"),
        ("api-version=latest", "v1", "?api-version=latest"),
    ],
)
def test_the_callers_date_counts_in_the_dated_form_and_the_rest_of_its_query_goes_along(query: str, api: str, sent: str) -> None:
    assert (
        path(f"/openai/files?{query}", account("azure-openai", api=api)).removeprefix("/openai/v1/files").removeprefix("/openai/files")
        == sent
    )


def test_other_kinds_know_no_api_version() -> None:
    assert path("/v1/files?api-version=2024-06-01&limit=2", OPENAI) == "/v1/files?limit=2"


@pytest.mark.parametrize("endpoint", ["https://x.example", "https://x.example/openai", "https://x.example/openai/v1"])
def test_an_azure_endpoint_may_say_its_form_itself(endpoint: str) -> None:
    to = account("azure-openai", endpoint)
    assert is_v1(to) == endpoint.endswith("/v1")
    assert path("/v1/responses", to).partition("?")[0] == ("/openai/v1/responses" if is_v1(to) else "/openai/responses")


def test_a_prefix_of_the_endpoint_stays() -> None:
    assert path("/v1/embeddings", account("azure-openai", "https://apim.example/team")) == (
        "/team/openai/deployments/d%201/embeddings?api-version=2024-10-21"
    )
    assert path("/v1/embeddings", account("openai-compatible", "https://apim.example/team")) == "/team/v1/embeddings"


def test_a_deployments_name_cannot_leave_its_segment() -> None:
    assert path("/v1/chat/completions", DATED, "../../x?y#z") == (
        "/openai/deployments/..%2F..%2Fx%3Fy%23z/chat/completions?api-version=2024-10-21"
    )


def test_the_body_names_what_the_provider_knows() -> None:
    deployment = Deployment(name="gpt4o-prod", account="a", model=ModelVersion(name="gpt-4o", version="2024-11-20"))
    assert [upstream_model(to, deployment) for to in (DATED, V1, OPENAI, COMPATIBLE)] == [
        "gpt4o-prod", "gpt4o-prod", "gpt-4o-2024-11-20", "gpt4o-prod",
    ]  # fmt: skip
