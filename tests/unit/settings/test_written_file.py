"""What is in force, written as a file, is the same file again."""

import msgspec
import pytest

from changeover.settings.declared import Declared
from changeover.settings.durations import duration_text, seconds
from changeover.settings.example import example_text
from changeover.settings.file import parse
from changeover.settings.in_force import in_force
from changeover.settings.plans import seeded, terms_of
from changeover.settings.written_file import file_text
from tests.unit.settings.files import SMALLEST, with_account, with_section, with_task
from tests.unit.settings.test_amending import FILE, promoted, stored, trying

FULL = """\
version: 1
accounts:
  one: {kind: azure-openai, endpoint: https://one.openai.azure.com, api: v1, auth: {env: MY_KEY}}
  two: {kind: openai-compatible, endpoint: "http://127.0.0.1:9/v1", auth: {file: /run/key}}
  three:
    kind: azure-openai
    endpoint: https://three.openai.azure.us
    auth: {entra: managed, client_id: 00000000-0000-0000-0000-000000000001}
deployments:
  a:
    account: one
    model: gpt-4o
    version: "0613"
    environment: dev
    sku: Standard
    region: swedencentral
    content_filter: strict-v2
    request:
      rename: {max_tokens: max_completion_tokens}
      drop: [temperature]
      set: {reasoning_effort: low, stop: ["yes", "1e5"], deep: {n: 1.0e-05, on: true}}
      system_prompt: {text: "Sei knapp: antworte.\\n\\t# kein Kommentar\\n", mode: prepend}
  b: {account: one, model: gpt-4o, version: "1", environment: prod}
  c: {account: one, model: gpt-4o, version: "1"}
  d: {account: two, model: "on", version: "2"}
tasks:
  mail:
    stable: [b, c]
    failover: [d, a]
    sticky_by: ["header:X-Conversation", safety_identifier]
    slice_by: ["metadata:tenant"]
    criteria:
      preset: strict
      quality: {source: human/rating, scale: [0, 10], margin: 0.125, trip: any}
      latency: {quantiles: [p50, p99.9], max_ratio: 1.25, guard_only: [p99.9]}
      cost: {max_ratio: 1.5, tokens: {input: 1.3, output: 1.7}}
      safety: {filter: {max_ratio: 2, margin_pp: 0.1}, harmful: {source: scores/harm}, trip: margin}
      errors: {max_ratio: 2.5, margin_pp: 0.25, trip: margin}
      accuracy: {source: none}
      min_samples: 40
rollouts:
  up:
    task: mail
    candidate: [d]
    steps:
      - weight: 12.5
      - analysis: {require: no_harm, min_duration: 90m, max_duration: 9d}
      - weight: 50
      - analysis: {require: pass, max_duration: 3.5d}
      - weight: 100
evidence: {block: 1500ms, min_blocks: 7, score_timeout: {client: 2s, judge: 3m, human: 36h}, n_star: 250, n_star_users: 70}
gateway: {unrouted: {account: two}}
"""
UNSOURCED = with_task("{stable: old, criteria: {preset: cheaper-model}}")
UNSOURCED_QUALITY = with_task("{stable: old, criteria: {accuracy: {source: none}}}")
NOTHING_ASKED = with_task("{stable: old, criteria: {preset: none, errors: {}}}")


def bare(declared: Declared) -> Declared:
    """Without what was only said on the way."""
    return msgspec.structs.replace(declared, warnings=())


@pytest.mark.parametrize(
    "text",
    [
        SMALLEST,
        UNSOURCED,
        UNSOURCED_QUALITY,
        NOTHING_ASKED,
        example_text(),
        with_account("{kind: anthropic, endpoint: https://api.anthropic.com}"),
        with_account("{kind: openai}"),
        with_account("{kind: openai-compatible, endpoint: https://models.example/v1}"),
        with_section("criteria: {preset: strict, latency: {max_ratio: 2}}\n"),
    ],
    ids=["smallest", "unsourced", "unsourced quality", "preset none", "example", "anthropic", "openai", "compatible", "for all tasks"],
)
def test_a_file_reads_back_as_it_was_declared(text: str) -> None:
    declared = parse(text)
    assert bare(parse(file_text(declared))) == bare(declared)


def test_everything_that_may_be_said_reads_back() -> None:
    declared = parse(FULL)
    assert bare(parse(file_text(declared))) == bare(declared)


def test_after_a_promotion_the_file_trusts_the_candidate_and_its_rollout_is_over() -> None:
    world = promoted(trying(stored()))
    written = parse(file_text(in_force(world, terms_of(parse(FILE)))))
    assert written.tasks["email"].stable == "new"
    assert written.rollouts == {}


def test_one_who_stood_in_and_was_promoted_stands_in_no_more() -> None:
    world = promoted(trying(stored(FILE.replace("failover: [spare]", "failover: [new, spare]"))))
    assert parse(file_text(in_force(world, terms_of(parse(FILE))))).tasks["email"].failover == ("spare",)


def test_no_key_is_written_only_where_it_is_found() -> None:
    text = file_text(parse(with_account("{kind: azure-openai, endpoint: https://aoai.openai.azure.com, auth: {env: MY_KEY_VARIABLE}}")))
    assert "env: MY_KEY_VARIABLE" in text
    assert text.startswith("# ")


@pytest.mark.parametrize("length_s", [0.001, 0.1, 1.5, 60.0, 90.0, 5400.0, 86_400.0, 7 * 86_400.0, 302_400.0, 0.3, 33.333])
def test_a_length_of_time_reads_back_exactly(length_s: float) -> None:
    assert seconds(duration_text(length_s)) == length_s


def test_an_empty_store_takes_over_what_candidates_are_judged_by() -> None:
    declared = parse(FILE)
    terms = seeded(declared).terms
    assert terms is not None
    assert (terms.criteria["email"], terms.intents["up"].candidate) == (declared.tasks["email"].criteria, "new")
