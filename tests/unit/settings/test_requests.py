"""Request settings say what they change, and contradict themselves nowhere."""

import pytest

from changeover.settings.declared import Fault, SettingsError
from changeover.settings.file import parse
from changeover.settings.requests import PROMPT_CHARS_MAX
from changeover.versions import RequestSettings
from tests.unit.settings.files import SMALLEST, faults_of

FILES = {"prompts/short.txt": "Be brief.\n", "prompts/empty.txt": " \n", "prompts/long.txt": "x" * (PROMPT_CHARS_MAX + 1)}


def with_request(request: str) -> str:
    return SMALLEST.replace('version: "2024-11-20"}', f'version: "2024-11-20", request: {request}}}')


def settings(request: str) -> RequestSettings | None:
    return parse(with_request(request), files=FILES.get).deployments["new"].request


def faults(request: str) -> dict[str, Fault]:
    try:
        parse(with_request(request), files=FILES.get)
    except SettingsError as error:
        return {fault.path.removeprefix("deployments.new.request."): fault for fault in error.faults}
    return {}


def test_a_deployment_without_settings_changes_nothing() -> None:
    assert parse(SMALLEST).deployments["new"].request is None


def test_settings_are_taken_as_they_are_written() -> None:
    found = settings(
        "{rename: {max_tokens: max_completion_tokens}, drop: [temperature, stream_options], "
        "set: {reasoning_effort: low, n: 1, top_p: 0.5, stop: [a], logit_bias: {a: {b: true}}}}"
    )
    assert found == RequestSettings(
        rename={"max_tokens": "max_completion_tokens"},
        drop=("temperature", "stream_options"),
        set={"reasoning_effort": "low", "n": 1, "top_p": 0.5, "stop": ["a"], "logit_bias": {"a": {"b": True}}},
    )


@pytest.mark.parametrize("mode", ["replace", "prepend"])
def test_a_system_prompt_comes_from_a_file_or_from_the_text(mode: str) -> None:
    for source in ("file: prompts/short.txt", 'text: "Be brief.\\n"'):
        found = settings(f"{{system_prompt: {{{source}, mode: {mode}}}}}")
        assert found is not None
        assert (found.system_prompt, found.system_prompt_mode) == ("Be brief.\n", mode)


def test_the_hash_is_of_the_content_and_not_of_the_order() -> None:
    one, same = settings("{set: {a: 1, b: 2}, drop: [c]}"), settings("{drop: [c], set: {b: 2, a: 1}}")
    other = settings("{set: {a: 1, b: 2}, drop: [c], system_prompt: {text: Hi}}")
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.hash == same.hash
    assert one.hash != other.hash
    assert len(one.hash) == 32


@pytest.mark.parametrize(
    ("request_text", "path", "words"),
    [
        ("{rename: {a: b}, drop: [b]}", "rename.a", '"b", which is dropped'),
        ("{rename: {a: b}, drop: [a]}", "drop[0]", '"a", which is renamed'),
        ("{rename: {a: b}, set: {b: 1}}", "rename.a", '"b", which is set'),
        ("{rename: {a: a}}", "rename.a", "which is its name already"),
        ("{rename: {a: b, b: c}}", "rename.a", "which is renamed itself"),
        ("{rename: {a: c, b: c}}", "rename.b", 'the new name of "a" too'),
        ("{drop: [a], set: {a: 1}}", "drop[0]", '"a", which is set'),
        ("{drop: [a, a]}", "drop[1]", "a second time"),
        ("{rename: {model: engine}}", "rename.model", '"model"'),
        ("{rename: {engine: model}}", "rename.engine", '"model"'),
        ("{drop: [stream]}", "drop[0]", '"stream"'),
        ("{set: {messages: []}}", "set.messages", '"messages"'),
        ("{set: {instructions: Hi}}", "set.instructions", '"instructions"'),
        ("{set: {stream_options: {include_usage: false}}}", "set.stream_options", '"stream_options"'),
        ("{set: {top_p: .inf}}", "set.top_p", "a number that JSON does not know"),
        ("{set: {a: {b: [.nan]}}}", "set.a", "a number that JSON does not know"),
        ("{set: {a: }}", "set.a", "an empty value"),
        ("{rename: {'a b': c}}", 'rename."a b"', '"a b"'),
        ("{drop: temperature}", "drop", '"temperature"'),
        ("{dorp: [a]}", "dorp", "an unknown key"),
        ("{system_prompt: {file: prompts/none.txt}}", "system_prompt.file", "a file that cannot be read"),
        ("{system_prompt: {file: prompts/empty.txt}}", "system_prompt.file", "an empty prompt"),
        ("{system_prompt: {file: prompts/long.txt}}", "system_prompt.file", f"a prompt of {PROMPT_CHARS_MAX + 1} characters"),
        ("{system_prompt: {file: a, text: b}}", "system_prompt", "both"),
        ("{system_prompt: {mode: prepend}}", "system_prompt", "neither"),
        ("{system_prompt: {text: a, mode: append}}", "system_prompt.mode", '"append"'),
    ],
)
def test_what_makes_no_sense_is_named(request_text: str, path: str, words: str) -> None:
    found = faults(request_text)
    assert path in found
    assert words in found[path].found
    assert found[path].expected


def test_without_files_no_prompt_can_be_read() -> None:
    assert list(faults_of(with_request("{system_prompt: {file: prompts/short.txt}}"))) == ["deployments.new.request.system_prompt.file"]
