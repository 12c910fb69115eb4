"""The bundled price list with our own corrections, and its twin in memory."""

from math import inf, nan

import msgspec
import pytest
from genai_prices import data_snapshot

from changeover.adapters.prices import BundledPrices, MemoryPrices
from changeover.adapters.prices.overrides import ADJUSTMENTS, AZURE_TERMS
from changeover.ports.prices import PriceBook
from changeover.versions import Account, AccountKind, Deployment, ModelVersion, SecretReference
from changeover.versions.prices import Price, Rates

JUNE_2026 = 1_780_272_000.0
O3_CUT = 1_749_513_600.0
"""2025-06-10 00:00 UTC: the first moment of a new price."""


@pytest.fixture(scope="module")
def book() -> BundledPrices:
    return BundledPrices()


def account(kind: AccountKind = "azure-openai") -> Account:
    return Account(name="acc", kind=kind, endpoint="https://acc.example", auth=SecretReference(source="none"))


def deployment(model: str = "gpt-4o", version: str = "2024-11-20", sku: str | None = None) -> Deployment:
    return Deployment(name="d", account="acc", model=ModelVersion(name=model, version=version), sku=sku)


def price(book: PriceBook, found: Deployment, kind: AccountKind = "azure-openai", at: float = JUNE_2026) -> Price:
    line = book.price_of(found, account(kind), at)
    assert line is not None
    return line


def rates(line: Price) -> tuple[float | None, ...]:
    return line.rates.input, line.rates.cached, line.rates.output


def test_a_version_has_the_price_of_its_version(book):
    assert rates(price(book, deployment())) == (2.5, 1.25, 10.0)
    assert rates(price(book, deployment(version="2024-05-13"))) == (5.0, None, 15.0)
    assert rates(price(book, deployment("gpt-4o-mini", "2024-07-18"), "openai")) == (0.15, 0.075, 0.6)


@pytest.mark.parametrize(
    ("sku", "scope", "factor"),
    [("GlobalStandard", "global", 1.0), ("DataZoneStandard", "data-zone", 1.1), ("Standard", "regional", 1.1), (None, "global", 1.0)],
)
def test_azure_charges_more_where_it_may_choose_less(book, sku, scope, factor):
    line = price(book, deployment(sku=sku))
    assert line.scope == scope
    assert rates(line) == pytest.approx((2.5 * factor, 1.25 * factor, 10.0 * factor))
    assert ("+10 % outside global" in line.source) == (factor > 1)


def test_a_version_without_the_uplift_is_priced_as_listed(book):
    assert rates(price(book, deployment(version="2024-05-13", sku="Standard"))) == (5.0, None, 15.0)


def test_batch_is_half_the_price_on_any_date(book):
    line = price(book, deployment("gpt-5.4", "2026-03-05", "GlobalBatch"))
    assert (line.tier, rates(line)) == ("batch", (1.25, 0.125, 7.5))
    assert rates(price(book, deployment(sku="DataZoneBatch"))) == pytest.approx((1.375, 0.6875, 5.5))


def test_provisioned_deployments_are_priced_as_if_paid_by_token_and_say_so(book):
    line = price(book, deployment(sku="GlobalProvisionedManaged"))
    assert (line.provisioned, rates(line)) == (True, (2.5, 1.25, 10.0))
    assert not price(book, deployment(sku="GlobalStandard")).provisioned


def test_long_prompts_keep_their_own_rates(book):
    (step,) = price(book, deployment("gpt-5.4", "2026-03-05", "Standard")).long
    assert step.above == 272_000
    assert (step.rates.input, step.rates.cached, step.rates.output) == pytest.approx((5.5, 0.55, 24.75))


def test_the_price_in_force_is_that_of_the_requests_own_date(book):
    found = deployment("o3", "2025-04-16")
    before, after = price(book, found, "openai", O3_CUT - 1), price(book, found, "openai", O3_CUT)
    assert (before.rates.input, before.valid_from_at) == (10.0, None)
    assert (after.rates.input, after.valid_from_at) == (2.0, O3_CUT)


@pytest.mark.parametrize(
    ("model", "version"), [("gpt-4o", "2031-01-01"), ("llama-9", "1"), ("", ""), ("gpt-4o", "latest"), ("my-own-model", "2024-11-20")]
)
def test_what_is_not_listed_has_no_price(book, model, version):
    assert book.price_of(deployment(model, version), account(), JUNE_2026) is None


def test_a_compatible_server_has_no_price(book):
    assert book.price_of(deployment(), account("openai-compatible"), JUNE_2026) is None


@pytest.mark.parametrize("at", [nan, inf, -inf, -1.0, 1e300])
def test_a_date_that_is_none_has_no_price(book, at):
    assert book.price_of(deployment(), account(), at) is None


def test_azures_own_names_are_understood(book):
    assert rates(price(book, deployment("gpt-35-turbo", "0125"))) == (0.5, None, 1.5)
    assert rates(price(book, deployment("text-embedding-3-large", "1"))) == (0.13, None, None)
    assert price(book, deployment("gpt-4", "turbo-2024-04-09")).rates.input == 10.0


def test_a_list_that_was_fetched_by_someone_else_is_not_used(book, monkeypatch):
    """The figures are those of the release, whatever the process does with the library."""
    emptied = data_snapshot.DataSnapshot(providers=[], from_auto_update=True)
    monkeypatch.setattr(data_snapshot, "_custom_snapshot", emptied)
    assert rates(price(BundledPrices(), deployment())) == (2.5, 1.25, 10.0)


def test_every_correction_says_where_it_is_from():
    assert all(rule.source and rule.read_on and rule.name for rule in ADJUSTMENTS)
    assert {terms.tier for terms in AZURE_TERMS.values()} == {"standard", "batch"}


def line(at: float | None, input_rate: float) -> Price:
    return Price(provider="p", model="m", version="v", valid_from_at=at, rates=Rates(input=input_rate), source="told")


def test_the_book_in_memory_knows_dates_too():
    book = MemoryPrices({"d": [line(200.0, 3.0), line(100.0, 2.0)], "e": [line(None, 1.0)]})
    told = deployment()
    assert [book.price_of(told, account(), at) for at in (50.0, 100.0, 250.0)] == [None, line(100.0, 2.0), line(200.0, 3.0)]
    assert book.price_of(msgspec.structs.replace(told, name="e"), account(), 0.0) == line(None, 1.0)
    assert book.price_of(msgspec.structs.replace(told, name="x"), account(), 0.0) is None
