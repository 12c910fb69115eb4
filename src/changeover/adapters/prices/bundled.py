"""What does the list that came with `genai-prices` say? Its bundled data alone: the update thread is never started."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import version
from typing import Final

from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from changeover.adapters.prices.overrides import ADJUSTMENTS, AZURE_TERMS, Adjustment, Terms
from changeover.versions import Account, AccountKind, Deployment
from changeover.versions.prices import LongRates, Price, Rates

SOURCE: Final = "genai-prices"
_PROVIDERS: Final[dict[AccountKind, str]] = {"azure-openai": "azure", "openai": "openai", "anthropic": "anthropic"}
_GLOBAL_STANDARD: Final = Terms()
_MINUTE_S: Final = 60.0
_AT_MAX: Final = 253_402_300_799.0
_KEPT: Final = 4096
_LONE_VERSION_DIGITS: Final = 2


class BundledPrices:
    """``ports.prices.PriceBook`` by provider, model and version, never by a similar name: a price that is guessed is
    worse than none. Compatible servers have no price.

    A version that was never heard of has none either.
    """

    def __init__(self) -> None:
        self._snapshot = DataSnapshot(providers=providers, from_auto_update=False)
        self._release = version(SOURCE)
        self._listed = lru_cache(maxsize=_KEPT)(self._look_up)

    def price_of(self, deployment: Deployment, account: Account, at: float) -> Price | None:
        """See ``PriceBook``."""
        provider = _PROVIDERS.get(account.kind)
        if provider is None or not 0 <= at <= _AT_MAX:
            return None
        terms = AZURE_TERMS.get(deployment.sku or "", _GLOBAL_STANDARD) if provider == "azure" else _GLOBAL_STANDARD
        return self._listed(provider, deployment.model.name, deployment.model.version, terms, at // _MINUTE_S * _MINUTE_S)

    def _look_up(self, provider: str, model: str, version: str, terms: Terms, at: float) -> Price | None:
        try:
            _, info = self._snapshot.find_provider_model(_reference(model, version), None, provider, None)
        except LookupError:
            return None
        when = datetime.fromtimestamp(at, UTC)
        listed = info.get_prices(when)
        rates = _rates(listed, above=None)
        if rates is None:
            return None
        adjusted = [
            rule
            for rule in ADJUSTMENTS
            if rule.applies(provider=provider, model=model, version=version, scope=terms.scope, tier=terms.tier)
        ]
        return Price(
            provider=provider,
            model=model,
            version=version,
            scope=terms.scope,
            tier=terms.tier,
            valid_from_at=_valid_from(info, when),
            rates=_times(rates, adjusted),
            long=tuple(LongRates(above=above, rates=_times(found, adjusted)) for above, found in _long(listed)),
            provisioned=terms.provisioned,
            source=", ".join([f"{SOURCE} {self._release}", *(rule.name for rule in adjusted)]),
        )


def _reference(model: str, version: str) -> str:
    """The name in the list. Azure writes gpt-35 for gpt-3.5, and numbers the versions of models that have only one."""
    name = model.replace("gpt-35", "gpt-3.5", 1)
    return name if version.isdigit() and len(version) <= _LONE_VERSION_DIGITS else f"{name}-{version}"


def _rates(listed: ModelPrice, *, above: int | None) -> Rates | None:
    """Dollars per million tokens for prompts longer than ``above``; ``None`` when the list has no price for input."""
    charged = _dollars(listed.input_mtok, above)
    if charged is None:
        return None
    return Rates(
        input=charged,
        cached=_dollars(listed.cache_read_mtok, above),
        output=_dollars(listed.output_mtok, above),
        written=_dollars(listed.cache_write_mtok, above),
        written_1h=_dollars(listed.cache_write_1h_mtok, above),
    )


def _dollars(value: Decimal | TieredPrices | None, above: int | None) -> float | None:
    if not isinstance(value, TieredPrices):
        return None if value is None else float(value)
    found = value.base
    for tier in value.tiers:
        if above is not None and tier.start <= above:
            found = tier.price
    return float(found)


def _long(listed: ModelPrice) -> list[tuple[int, Rates]]:
    values = (listed.input_mtok, listed.cache_read_mtok, listed.output_mtok)
    starts = sorted({tier.start for value in values if isinstance(value, TieredPrices) for tier in value.tiers})
    return [(start, rates) for start in starts if (rates := _rates(listed, above=start)) is not None]


def _times(rates: Rates, adjusted: Iterable[Adjustment]) -> Rates:
    factor = 1.0
    for rule in adjusted:
        factor *= rule.factor
    return Rates(
        input=rates.input * factor,
        cached=_scaled(rates.cached, factor),
        output=_scaled(rates.output, factor),
        written=_scaled(rates.written, factor),
        written_1h=_scaled(rates.written_1h, factor),
    )


def _scaled(rate: float | None, factor: float) -> float | None:
    return None if rate is None else rate * factor


def _valid_from(info: ModelInfo, when: datetime) -> float | None:
    """The first moment (UTC) of the day from which the price at ``when`` holds, as far as the list dates it."""
    if isinstance(info.prices, ModelPrice):
        return None
    return max((start for start in map(_start, info.prices) if start is not None and start <= when.timestamp()), default=None)


def _start(price: ConditionalPrice) -> float | None:
    if not isinstance(price.constraint, StartDateConstraint):
        return None
    day = price.constraint.start_date
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
