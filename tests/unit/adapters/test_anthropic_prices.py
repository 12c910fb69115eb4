"""What the bundled list says of Anthropic's models, cached prompts included."""

import pytest

from changeover.adapters.prices import BundledPrices
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from changeover.versions.prices import Price, Rates

JUNE_2026 = 1_780_272_000.0
JANUARY_2026 = 1_767_225_600.0
ACCOUNT = Account(name="a", kind="anthropic", endpoint="https://api.anthropic.com", auth=SecretReference(source="none"))


def price(model: str, version: str, at: float = JUNE_2026) -> Price | None:
    return BundledPrices().price_of(Deployment(name="d", account="a", model=ModelVersion(name=model, version=version)), ACCOUNT, at)


@pytest.mark.parametrize(
    ("model", "version", "rates"),
    [
        ("claude-haiku-4-5", "20251001", Rates(input=1.0, cached=0.1, output=5.0, written=1.25, written_1h=2.0)),
        ("claude-opus-5", "1", Rates(input=5.0, cached=0.5, output=25.0, written=6.25, written_1h=10.0)),
        ("claude-opus-4-6", "1", Rates(input=5.0, cached=0.5, output=25.0, written=6.25, written_1h=10.0)),
    ],
)
def test_reading_and_writing_the_cache_have_their_own_rates(model: str, version: str, rates: Rates) -> None:
    found = price(model, version)
    assert found is not None
    assert found.rates == rates
    assert (found.provider, found.scope, found.tier) == ("anthropic", "global", "standard")


def test_long_prompts_and_earlier_dates_have_the_rates_of_their_time() -> None:
    found = price("claude-sonnet-4-5", "20250929")
    assert found is not None
    assert found.rates_for(200_001) == Rates(input=6.0, cached=0.6, output=22.5, written=7.5, written_1h=12.0)
    earlier, later = price("claude-opus-4-6", "1", JANUARY_2026), price("claude-opus-4-6", "1")
    assert earlier is not None
    assert later is not None
    assert (earlier.rates_for(200_001).input, later.rates_for(200_001).input) == (10.0, 5.0)


def test_an_unknown_model_has_no_price() -> None:
    assert price("claude-unheard-of", "1") is None
