"""What does a request cost? A dated list price and the arithmetic on it. Where a price comes from is a port's business."""

from typing import Final, Literal, Protocol

import msgspec

Scope = Literal["global", "data-zone", "regional"]
"""Where the provider may process a request. Azure charges more the less it is free to choose."""

Tier = Literal["standard", "batch"]
"""How soon the provider answers: at once, or within a day."""

_PER_MILLION: Final = 1e-6


class TokenCounts(Protocol):
    """What a request used. Among the prompt's tokens are those read from the cache (``cached``) and those written to it
    (``written``), of which ``written_1h`` stay for an hour. Unknown is ``None``, never 0.
    """

    @property
    def prompt(self) -> int | None: ...

    @property
    def completion(self) -> int | None: ...

    @property
    def cached(self) -> int | None: ...

    @property
    def written(self) -> int | None: ...

    @property
    def written_1h(self) -> int | None: ...


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens. Without ``cached`` a cached token costs as any other; without ``output`` the model
    writes none (embeddings). ``written`` and ``written_1h`` are for tokens that are put into the cache; without the one they
    cost as any other, without the other as the one.
    """

    input: float
    cached: float | None = None
    output: float | None = None
    written: float | None = None
    written_1h: float | None = None

    def prompt(self, tokens: TokenCounts, *, among: int) -> float:
        """What ``among`` tokens of a prompt cost, by their part in the cache, in millionths."""
        read = min(max(tokens.cached or 0, 0), among)
        written = min(max(tokens.written or 0, 0), among - read)
        for_an_hour = min(max(tokens.written_1h or 0, 0), written)
        put = self.input if self.written is None else self.written
        kept = put if self.written_1h is None else self.written_1h
        money = (among - read - written) * self.input + read * (self.input if self.cached is None else self.cached)
        return money + (written - for_an_hour) * put + for_an_hour * kept


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
    money = rates.prompt(tokens, among=tokens.prompt)
    if rates.output is not None:
        if tokens.completion is None or tokens.completion < 0:
            return None
        money += tokens.completion * rates.output
    return money * _PER_MILLION


def label_of(price: Price, *, prompt: int) -> str:
    """The price of a request with such a prompt as one line, with its rates, so that a cost can be recomputed from it."""
    rates = price.rates_for(prompt)
    listed = "/".join("-" if rate is None else f"{rate:.6g}" for rate in (rates.input, rates.cached, rates.output))
    if rates.written is not None:
        kept = rates.written if rates.written_1h is None else rates.written_1h
        listed += f" written {rates.written:.6g}/{kept:.6g}"
    provisioned = ", PTU at the pay-as-you-go list" if price.provisioned else ""
    return f"{price.provider} {price.model} {price.version} {price.scope} {price.tier} {listed} USD/M{provisioned}; {price.source}"
