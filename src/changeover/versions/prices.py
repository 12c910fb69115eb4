"""What does a request cost? A dated list price and the arithmetic on it. Where a price comes from is a port's business."""

from typing import Final, Literal, Protocol

import msgspec

Scope = Literal["global", "data-zone", "regional"]
"""Where the provider may process a request. Azure charges more the less it is free to choose."""

Tier = Literal["standard", "batch"]
"""How soon the provider answers: at once, or within a day."""

_PER_MILLION: Final = 1e-6


class TokenCounts(Protocol):
    """What a request used; ``cached`` tokens are among the prompt's. Unknown is ``None``, never 0."""

    @property
    def prompt(self) -> int | None: ...

    @property
    def completion(self) -> int | None: ...

    @property
    def cached(self) -> int | None: ...


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens. Without ``cached`` a cached token costs as any other; without ``output`` the model
    writes none (embeddings).
    """

    input: float
    cached: float | None = None
    output: float | None = None


class LongRates(msgspec.Struct, frozen=True, kw_only=True):
    """What every token of a request costs whose prompt has more than ``above`` tokens."""

    above: int
    rates: Rates


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a price list, in force from ``valid_from_at`` (Unix seconds; ``None``: for as long as is known) until
    the next line.

    ``long`` is ordered by its thresholds. ``provisioned``: the deployment is paid by the hour and has no price a
    request; this is what its tokens would cost pay-as-you-go. ``source`` says where the figures are from.
    """

    provider: str
    model: str
    version: str
    scope: Scope = "global"
    tier: Tier = "standard"
    valid_from_at: float | None = None
    rates: Rates
    long: tuple[LongRates, ...] = ()
    provisioned: bool = False
    source: str

    def rates_for(self, prompt: int) -> Rates:
        """The rates of a request whose prompt has so many tokens: crossing a threshold moves all its tokens."""
        rates = self.rates
        for step in self.long:
            if prompt > step.above:
                rates = step.rates
        return rates


def cost_of(tokens: TokenCounts | None, price: Price) -> float | None:
    """Dollars of one request; ``None`` where a count that is charged for is unknown or is none."""
    if tokens is None or tokens.prompt is None or tokens.prompt < 0:
        return None
    rates = price.rates_for(tokens.prompt)
    cached = min(max(tokens.cached or 0, 0), tokens.prompt)
    money = (tokens.prompt - cached) * rates.input + cached * (rates.input if rates.cached is None else rates.cached)
    if rates.output is not None:
        if tokens.completion is None or tokens.completion < 0:
            return None
        money += tokens.completion * rates.output
    return money * _PER_MILLION


def label_of(price: Price, *, prompt: int) -> str:
    """The price of a request with such a prompt as one line, with its rates, so that a cost can be recomputed from it."""
    rates = price.rates_for(prompt)
    listed = "/".join("-" if rate is None else f"{rate:.6g}" for rate in (rates.input, rates.cached, rates.output))
    provisioned = ", PTU at the pay-as-you-go list" if price.provisioned else ""
    return f"{price.provider} {price.model} {price.version} {price.scope} {price.tier} {listed} USD/M{provisioned}; {price.source}"
