"""The `anthropic` package cannot tell the gateway from the provider: the same call gives the same objects, or the same error."""

import asyncio
import json
import ssl
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

import anthropic
import pytest

from tests.conformance.claude import Said, speaking
from tests.conformance.rig import KEY, KEY_ENV, announced, process

HAIKU: Final = "claude-haiku-4-5-20251001"
OPUS: Final = "claude-opus-5"
UPGRADED: Final = "assistant"
CALLERS: Final = "sk-ant-the-callers-own-0123456789"
CLIENTS: Final = ("Anthropic", "AsyncAnthropic")
TRUST: Final = ssl.create_default_context()
"""Read once: every client would read it again."""
DOCUMENT: Final = "The reader opens 3 files (in text mode), which must exist — naïve café."

FILE: Final = f"""
version: 1
accounts:
  claude: {{{{kind: anthropic, endpoint: "{{url}}", auth: {{{{env: {KEY_ENV}}}}}}}}}
  foundry: {{{{kind: anthropic, endpoint: "{{url}}/anthropic", auth: {{{{env: {KEY_ENV}}}}}}}}}
deployments:
  haiku: {{{{account: claude, model: claude-haiku-4-5, version: "20251001"}}}}
  opus: {{{{account: claude, model: claude-opus-5, version: "1"}}}}
  {OPUS}: {{{{account: foundry, model: claude-opus-5, version: "1"}}}}
  mended:
    account: claude
    model: claude-opus-5
    version: "1"
    request:
      drop: [temperature, thinking]
      set: {{{{x_echo: {{{{deep: 1}}}}}}}}
      system_prompt: {{{{text: Be brief., mode: prepend}}}}
  retired: {{{{account: claude, model: claude-2.1, version: "1"}}}}
tasks:
  {HAIKU}: {{{{stable: haiku, criteria: {{{{preset: none}}}}}}}}
  {OPUS}: {{{{stable: {OPUS}, criteria: {{{{preset: none}}}}}}}}
  {UPGRADED}: {{{{stable: mended, criteria: {{{{preset: none}}}}}}}}
  lasting: {{{{stable: retired, failover: [opus], criteria: {{{{preset: none}}}}}}}}
"""
"""The models' own names are tasks: an application is pointed at the gateway and changes nothing else."""

TOOL: Final = {"name": "weather", "description": "d", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
CACHED: Final = [{"type": "text", "text": "Long. " * 9, "cache_control": {"type": "ephemeral"}}]


@dataclass(frozen=True, kw_only=True)
class Ends:
    direct: str
    gateway: str
    said: Said
    folder: Path


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    with running(tmp_path_factory.mktemp("anthropic")) as found:
        yield found


@contextmanager
def running(folder: Path) -> Generator[Ends]:
    with ExitStack() as stack:
        url, said = stack.enter_context(speaking(KEY))
        (folder / "changeover.yaml").write_text(FILE.format(url=url))
        server = stack.enter_context(process(folder, "serve", "changeover", "serve", "--port", "0", "--control-port", "0"))
        yield Ends(direct=url, gateway=announced(folder, server), said=said, folder=folder)


def asked(document: str = DOCUMENT, *, model: str = HAIKU, **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": document}], **more}


def sync_client(url: str, key: str) -> anthropic.Anthropic:
    http = anthropic.DefaultHttpxClient(verify=TRUST)
    return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, http_client=http)


def async_client(url: str, key: str) -> anthropic.AsyncAnthropic:
    http = anthropic.DefaultAsyncHttpxClient(verify=TRUST)
    return anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0, http_client=http)


def ask(client: str, url: str, method: str, *, key: str = KEY, **arguments: Any) -> list[Any]:
    """The objects that ``method`` (``messages.create``) gives: one, or those of a stream."""
    if client.startswith("Async"):
        return asyncio.run(_ask_async(url, method, key, arguments))
    with sync_client(url, key) as made:
        given = attrgetter(method)(made)(**arguments)
        return list(given) if arguments.get("stream") else [given]


async def _ask_async(url: str, method: str, key: str, arguments: dict[str, Any]) -> list[Any]:
    async with async_client(url, key) as made:
        given = await attrgetter(method)(made)(**arguments)
        return [each async for each in given] if arguments.get("stream") else [given]


def texts(objects: list[Any]) -> list[str]:
    return [each.to_json(indent=None) for each in objects]


def both(ends: Ends, client: str, method: str, **arguments: Any) -> tuple[list[str], list[str]]:
    """Direct with the provider's key; through the gateway with the caller's own, which the provider would refuse."""
    direct = ask(client, ends.direct, method, **arguments)
    return texts(direct), texts(ask(client, ends.gateway, method, key=CALLERS, **arguments))


CALLS: dict[str, dict[str, Any]] = {
    "plain": asked(),
    "of another model": asked(model=OPUS),
    "with blocks": asked(system=CACHED, stop_sequences=["x"], metadata={"user_id": "u"}),
    "with a tool": asked(tools=[TOOL], tool_choice={"type": "any"}),
    "with thinking": asked(thinking={"type": "enabled", "budget_tokens": 1024}),
    "with thinking and a tool": asked(thinking={"type": "enabled", "budget_tokens": 1024}, tools=[TOOL]),
    "refused": asked("[refuse] " + DOCUMENT),
    "refused silently": asked("[refuse silently]"),
    "odd": asked("[odd] " + DOCUMENT),
    "with a field that nobody knows": asked(extra_body={"x_echo": {"big": 12345678901234567890, "e": 1.0e1, "u": "\u2028"}}),
}
REFUSED: dict[str, dict[str, Any]] = {
    "no such model": asked(model="claude-unheard-of"),
    "an extra field": asked(extra_body={"response_format": {}}),
    "no messages": {"model": HAIKU, "max_tokens": 5, "messages": []},
    "a parameter that the model refuses": asked(model=OPUS, thinking={"type": "enabled", "budget_tokens": 1024}),
    "a parameter that the API has no more": asked(extra_body={"temperature": 0.5}),
    "overloaded": asked("[overloaded]"),
    "limited": asked("[limited]"),
    "blocked": asked("[blocked]"),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_a_call_gives_the_same_objects(ends: Ends, client: str, name: str, stream: bool) -> None:
    more: dict[str, Any] = {"stream": True} if stream else {}
    direct, through = both(ends, client, "messages.create", **CALLS[name], **more)
    assert through == direct
    assert not stream or len(direct) >= 3, "the stream must be one"


@pytest.mark.parametrize("name", CALLS)
def test_a_streams_helper_gives_the_same_events_and_the_same_message(ends: Ends, name: str) -> None:
    assert helped(ends.gateway, CALLERS, CALLS[name]) == helped(ends.direct, KEY, CALLS[name])


def helped(url: str, key: str, arguments: dict[str, Any]) -> tuple[list[str], str]:
    with sync_client(url, key) as made, made.messages.stream(**arguments) as stream:
        return [event.type for event in stream], stream.get_final_message().to_json()


def test_an_async_streams_helper_gives_the_same_text(ends: Ends) -> None:
    async def helped_async(url: str, key: str) -> tuple[str, str]:
        async with async_client(url, key) as made, made.messages.stream(**asked()) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            return text, (await stream.get_final_message()).to_json()

    assert asyncio.run(helped_async(ends.gateway, CALLERS)) == asyncio.run(helped_async(ends.direct, KEY))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", CALLS)
def test_the_raw_bytes_and_the_providers_headers_are_the_same(ends: Ends, name: str, stream: bool) -> None:
    more: dict[str, Any] = {"stream": True} if stream else {}
    direct, through = (raw(url, key, {**CALLS[name], **more}) for url, key in ((ends.direct, KEY), (ends.gateway, CALLERS)))
    assert through[0] == direct[0]
    assert through[1]["request-id"] == direct[1]["request-id"]
    for header in ("content-type", "anthropic-ratelimit-requests-remaining"):
        assert through[1][header] == direct[1][header]
    assert KEY not in str(dict(through[1])) + through[0].decode()


def raw(url: str, key: str, arguments: dict[str, Any]) -> tuple[bytes, Any]:
    with (
        sync_client(url, key) as made,
        made.messages.with_streaming_response.create(**arguments) as answer,
    ):
        return answer.read(), answer.headers


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", [name for name in REFUSED if name != "no such model"])
def test_a_refused_call_gives_the_same_error(ends: Ends, client: str, name: str, stream: bool) -> None:
    more: dict[str, Any] = {"stream": True} if stream else {}
    assert refusal(ends.gateway, CALLERS, client, {**REFUSED[name], **more}) == refusal(ends.direct, KEY, client, {**REFUSED[name], **more})


def refusal(url: str, key: str, client: str, arguments: dict[str, Any]) -> tuple[object, ...]:
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(client, url, "messages.create", key=key, **arguments)
    error = caught.value
    return type(error), error.status_code, error.type, error.request_id, error.body, str(error)


def test_a_model_that_is_no_task_is_said_as_the_provider_says_it(ends: Ends) -> None:
    direct = refusal(ends.direct, KEY, "Anthropic", REFUSED["no such model"])
    through = refusal(ends.gateway, CALLERS, "Anthropic", REFUSED["no such model"])
    assert through[:3] == direct[:3] == (anthropic.NotFoundError, 404, "not_found_error")


@pytest.mark.parametrize("directive", ["error before", "error after"])
def test_an_error_in_a_stream_is_raised_alike(ends: Ends, directive: str) -> None:
    found: list[tuple[object, ...]] = []
    for url, key in ((ends.direct, KEY), (ends.gateway, CALLERS)):
        seen: list[str] = []
        with sync_client(url, key) as made, pytest.raises(anthropic.APIStatusError) as caught:
            seen.extend(each.to_json() for each in made.messages.create(**asked(f"[{directive}]"), stream=True))
        found.append((type(caught.value), caught.value.body, tuple(seen)))
    assert found[0] == found[1]
    assert bool(found[1][2]) is True or directive == "error before"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_cut_stream_is_an_error_and_never_a_whole_message(ends: Ends, client: str) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(client, ends.gateway, "messages.create", key=CALLERS, **asked("[cut]"), stream=True)
    assert caught.value.type == "api_error"
    assert caught.value.error_code in ("upstream_reset", "upstream_cut")


@pytest.mark.parametrize("client", CLIENTS)
def test_tokens_are_counted(ends: Ends, client: str) -> None:
    arguments = {name: value for name, value in asked(system="Be kind.").items() if name != "max_tokens"}
    direct, through = both(ends, client, "messages.count_tokens", **arguments)
    assert through == direct


def test_batches_are_made_and_read_below_a_task(ends: Ends) -> None:
    below = f"{ends.gateway}/t/{HAIKU}"
    requests: Any = [{"custom_id": "first", "params": asked()}]
    for method, arguments in (("create", {"requests": requests}), ("retrieve", {"message_batch_id": "msgbatch_1"})):
        direct = ask("Anthropic", ends.direct, f"messages.batches.{method}", **arguments)
        assert texts(ask("Anthropic", below, f"messages.batches.{method}", key=CALLERS, **arguments)) == texts(direct)
    with sync_client(below, CALLERS) as made:
        results = made.get("/v1/messages/batches/msgbatch_1/results", cast_to=str)
    assert [json.loads(line)["custom_id"] for line in results.splitlines()] == ["first", "second"]


def test_the_beta_api_and_an_azure_resources_client_are_served(ends: Ends) -> None:
    beta: dict[str, Any] = {"betas": ["a-beta-2026-01-01"], **asked()}
    direct, through = both(ends, "Anthropic", "beta.messages.create", **beta)
    assert through == direct
    assert ends.said.heads[-1]["anthropic-beta"] == "a-beta-2026-01-01"
    with anthropic.AnthropicFoundry(base_url=f"{ends.gateway}/anthropic/", api_key=CALLERS, max_retries=0) as made:
        assert made.messages.create(**asked()).to_json(indent=None) == ask("Anthropic", ends.direct, "messages.create", **asked())[
            0
        ].to_json(indent=None)


def test_the_models_are_the_tasks(ends: Ends) -> None:
    [page] = ask("Anthropic", ends.gateway, "models.list", key=CALLERS)
    assert [model.id for model in page] == sorted([HAIKU, OPUS, UPGRADED, "lasting"])
    [one] = ask("Anthropic", ends.gateway, "models.retrieve", key=CALLERS, model_id=OPUS)
    assert (one.id, one.type) == (OPUS, "model")


@pytest.mark.parametrize("stream", [False, True])
def test_request_settings_mend_a_request_that_the_model_would_refuse(ends: Ends, stream: bool) -> None:
    more: dict[str, Any] = {"stream": True} if stream else {}
    thinking = {"type": "enabled", "budget_tokens": 1024}
    mended = asked(model=UPGRADED, thinking=thinking, system="Kind.", extra_body={"temperature": 0.2})
    found = ask("Anthropic", ends.gateway, "messages.create", key=CALLERS, **mended, **more)
    message = found[0].message if stream else found[0]
    assert (message.model, message.model_extra["x_echo"]) == (OPUS, {"deep": 1})
    sent = json.loads(ends.said.bodies[-1])
    assert (sent["system"], {"temperature", "thinking"} & set(sent)) == ("Be brief.\n\nKind.", set())


def test_a_retired_model_is_answered_for_by_another(ends: Ends) -> None:
    for _turn in range(3):
        [message] = ask("Anthropic", ends.gateway, "messages.create", key=CALLERS, **asked(model="lasting"))
        assert message.model == OPUS


def test_a_gateway_key_is_taken_from_x_api_key_and_stays_here(ends: Ends) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "changeover", "key", "create", "app", "--task", UPGRADED], cwd=ends.folder, capture_output=True, check=True
    )
    secret = made.stdout.decode().strip()
    assert secret.startswith("ck-")
    [message] = ask("Anthropic", ends.gateway, "messages.create", key=secret, **asked(model=UPGRADED))
    assert message.model == OPUS
    with pytest.raises(anthropic.PermissionDeniedError) as caught:
        ask("Anthropic", ends.gateway, "messages.create", key=secret, **asked())
    assert caught.value.error_code == "task_not_allowed"
    with pytest.raises(anthropic.AuthenticationError):
        ask("Anthropic", ends.gateway, "messages.create", key="ck-" + "x" * 43, **asked())
    assert not any(secret in value or CALLERS in value for head in ends.said.heads for value in head.values())
