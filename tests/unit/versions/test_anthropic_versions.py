"""Versions that are numbers, accounts that speak another API, and prompts that are written to a cache."""

import msgspec
import pytest

from changeover.exchange.observation import Tokens
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from changeover.versions.dialect import Dialect, dialect_of
from changeover.versions.identity import Served, contradiction
from changeover.versions.prices import Price, Rates, cost_of, label_of

RATES = Rates(input=3.0, cached=0.3, output=15.0, written=3.75, written_1h=6.0)
PRICE = Price(provider="anthropic", model="m", version="1", rates=RATES, source="s")
M = 1_000_000


def contradicted(served: str, model: str, version: str) -> bool:
    account = Account(name="a", kind="anthropic", endpoint="https://a.example", auth=SecretReference(source="none"))
    deployment = Deployment(name="prod", account="a", model=ModelVersion(name=model, version=version))
    return contradiction(Served(served), deployment=deployment, account=account) is not None


def test_only_one_kind_speaks_anthropics_api() -> None:
    assert dialect_of("anthropic") is Dialect.ANTHROPIC
    assert {dialect_of(kind) for kind in ("azure-openai", "openai", "openai-compatible")} == {Dialect.OPENAI}


@pytest.mark.parametrize(
    ("served", "model", "version", "wrong"),
    [
        ("claude-opus-5", "claude-opus-5", "1", False),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", "1", False),
        ("claude-opus-5-5", "claude-opus-5", "1", True),
        ("claude-sonnet-4-5-20251201", "claude-sonnet-4-5", "20250929", True),
        ("claude-sonnet-4-6", "claude-sonnet-4-5", "20250929", True),
        ("claude-sonnet-4-5-latest", "claude-sonnet-4-5", "20250929", False),
        ("qwen", "claude-sonnet-4-5", "20250929", False),
        ("claude-like", "qwen", "1", False),
        ("claude-haiku-4-5-20251001", "claude-sonnet-4-5", "1", True),
    ],
)
def test_a_date_says_nothing_against_a_number(served: str, model: str, version: str, wrong: bool) -> None:
    assert contradicted(served, model, version) is wrong


def test_what_is_written_to_the_cache_costs_its_own_rate() -> None:
    tokens = Tokens(prompt=10 * M, completion=M, cached=4 * M, written=3 * M, written_1h=M)
    assert cost_of(tokens, PRICE) == pytest.approx(3 * 3.0 + 4 * 0.3 + 2 * 3.75 + 6.0 + 15.0)
    assert label_of(PRICE, prompt=5) == "anthropic m 1 global standard 3/0.3/15 written 3.75/6 USD/M; s"


def test_without_a_rate_for_writing_a_written_token_costs_as_any_other() -> None:
    tokens = Tokens(prompt=10 * M, completion=0, written=3 * M, written_1h=M)
    plain = msgspec.structs.replace(PRICE, rates=Rates(input=3.0, output=15.0))
    assert cost_of(tokens, plain) == pytest.approx(30.0)
    briefly = msgspec.structs.replace(PRICE, rates=Rates(input=3.0, output=15.0, written=4.0))
    assert cost_of(tokens, briefly) == pytest.approx(7 * 3.0 + 3 * 4.0)


def test_counts_that_cannot_be_are_bounded_by_the_prompt() -> None:
    tokens = Tokens(prompt=M, completion=0, cached=5 * M, written=5 * M, written_1h=9 * M)
    assert cost_of(tokens, PRICE) == pytest.approx(0.3)
