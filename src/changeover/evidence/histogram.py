"""How are times spread? A histogram on a logarithmic scale, small enough to keep for every block and side.

Replicas' histograms add up exactly. Ranks at the edges of bins are exact; in between, a time is known to one percent.
"""

import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import exp, floor, inf, log, sqrt
from types import MappingProxyType
from typing import Annotated, Final, NamedTuple

import msgspec

BIN_WIDTH: Final = 0.01
"""Of the natural logarithm of seconds: bins are one percent wide."""

BIN_FIRST: Final = -800
BIN_END: Final = 1000
"""Bins from 0.34 ms up to, not including, 6 hours. What lies outside goes into the first or the last."""

PAGE_BINS: Final = 64
"""Counts lie in pages: adding two up is one step a page, and what lies far from the rest takes one page, not all between."""

TOTAL_MAX: Final = 2**32 - 1
"""No bin can then have more than its 32 bits hold."""

_VERSION: Final = 2
_COUNT_BYTES: Final = 4
_PAGE_BYTES: Final = PAGE_BINS * _COUNT_BYTES
_PAGE_FIRST: Final = BIN_FIRST // PAGE_BINS
_PAGE_LAST: Final = (BIN_END - 1) // PAGE_BINS

PageNumber = Annotated[int, msgspec.Meta(ge=_PAGE_FIRST, le=_PAGE_LAST)]
Page = Annotated[bytes, msgspec.Meta(min_length=_PAGE_BYTES, max_length=_PAGE_BYTES)]
BinNumber = Annotated[int, msgspec.Meta(ge=BIN_FIRST, lt=BIN_END)]
Count = Annotated[int, msgspec.Meta(ge=0, le=TOTAL_MAX)]
# What comes from disk is held to these as it is read.

_NO_PAGES: Final[dict[int, bytes]] = {}
_MS: Final = 1000.0
_LOG_MS: Final = log(_MS)


class LogHistogram(msgspec.Struct, frozen=True, kw_only=True):
    """Times counted by the number of their bin: the floor of log(seconds) / ``BIN_WIDTH``. ``count`` of them in all.

    ``pages`` hold ``PAGE_BINS`` counts each, as little-endian numbers of 32 bits (in JSON: base64), so that adding two pages up
    is adding two large numbers; page n begins with bin n times ``PAGE_BINS``. A page without a time is left out.
    Version 1 was written as ``bins``, counts by number, and is read as what it says.
    """

    count: Count = 0
    pages: dict[PageNumber, Page] = _NO_PAGES
    bins: dict[BinNumber, Count] | msgspec.UnsetType = msgspec.UNSET
    version: int = _VERSION

    def __post_init__(self) -> None:
        if self.bins is not msgspec.UNSET:
            found = _of_bins(self.bins)
            for name, value in (("count", found.count), ("pages", found.pages), ("bins", msgspec.UNSET), ("version", _VERSION)):
                msgspec.structs.force_setattr(self, name, value)

    def merged(self, other: "LogHistogram") -> "LogHistogram":
        """Both as one.

        Raises:
            ValueError: there are more times than it can count.
        """
        if not self.pages or not other.pages:
            return self if self.pages else other
        if self.count + other.count > TOTAL_MAX:
            raise ValueError(f"found {self.count + other.count} times; expected at most {TOTAL_MAX}: begin a new attempt")
        pages = dict(self.pages)
        for number, page in other.pages.items():
            known = pages.get(number)
            # As one number each: no count runs over into the next, see TOTAL_MAX.
            pages[number] = (
                page
                if known is None
                else (int.from_bytes(known, "little") + int.from_bytes(page, "little")).to_bytes(_PAGE_BYTES, "little")
            )
        return LogHistogram(count=self.count + other.count, pages=pages)

    def quantile(self, share: float) -> float | None:
        """The time in milliseconds that ``share`` of all lie at or below, linear inside its bin; ``None`` when empty, or
        for a share outside 0 to 1.
        """
        if not self.count or not 0 <= share <= 1:
            return None
        rank, below, end = share * self.count, 0, 0
        for number in sorted(self.pages):
            counts = _counts(self.pages[number])
            inside = sum(counts)
            if rank <= below + inside:
                return _in_page(number, counts, rank - below)
            below, end = below + inside, number + 1
        return _edge_ms(end * PAGE_BINS)

    def share_above(self, time_ms: float) -> float:
        """The share of times above ``time_ms``, linear inside its bin; 0 when empty."""
        if not self.count:
            return 0.0
        at = bin_of(time_ms)
        here, position = divmod(at, PAGE_BINS)
        counts = _counts(self.pages.get(here, bytes(_PAGE_BYTES)))
        above = sum(sum(_counts(page)) for number, page in self.pages.items() if number > here) + sum(counts[position + 1 :])
        part = (_edge_ms(at + 1) - time_ms) / (_edge_ms(at + 1) - _edge_ms(at))
        return (above + counts[position] * min(1.0, max(0.0, part))) / self.count

    def quantile_interval(self, share: float, *, multiplier: float) -> tuple[float | None, float | None]:
        """Woodruff's interval for a quantile, in milliseconds: the times whose ranks lie ``multiplier`` standard errors of
        the share to either side. An end is ``None`` where there are too few times to say. Asymptotic (Woodruff 1952).
        """
        if not self.count:
            return None, None
        reach = multiplier * sqrt(share * (1 - share) / self.count)
        return self.quantile(share - reach), self.quantile(share + reach)


EMPTY: Final = LogHistogram()


class RunningHistogram(NamedTuple):
    """The sum of many histograms while it grows: as ``LogHistogram``, with every page as one large number. ``total`` is how
    many times there are in all.
    """

    total: int = 0
    pages: Mapping[int, int] = MappingProxyType({})

    def plus(self, other: LogHistogram) -> "RunningHistogram":
        """One histogram more.

        Raises:
            ValueError: there are more times than it can count.
        """
        if not other.pages:
            return self
        total = self.total + other.count
        if total > TOTAL_MAX:
            raise ValueError(f"found {total} times; expected at most {TOTAL_MAX}: begin a new attempt")
        pages = dict(self.pages)
        for number, page in other.pages.items():
            pages[number] = pages.get(number, 0) + int.from_bytes(page, "little")
        return RunningHistogram(total, pages)

    def whole(self) -> LogHistogram:
        """The sum as a histogram."""
        return LogHistogram(count=self.total, pages={number: page.to_bytes(_PAGE_BYTES, "little") for number, page in self.pages.items()})


NOTHING_COUNTED: Final = RunningHistogram()


def histogram_of(times_ms: Iterable[float]) -> LogHistogram:
    """Count ``times_ms``.

    Raises:
        ValueError: one is negative or not a finite number.
    """
    times = list(times_ms)
    for refused in [time for time in times if not 0 <= time < inf]:
        raise _no_time(refused)
    found = Counter([floor((log(time) - _LOG_MS) / BIN_WIDTH) if time else BIN_FIRST for time in times])
    bins: dict[int, int] = {}
    for number, count in found.items():
        inside = min(BIN_END - 1, max(BIN_FIRST, number))
        bins[inside] = bins.get(inside, 0) + count
    return _of_bins(bins)


def _of_bins(bins: Mapping[int, int]) -> LogHistogram:
    pages: dict[int, list[int]] = {}
    for number in sorted(bins):
        if bins[number]:
            pages.setdefault(number // PAGE_BINS, [0] * PAGE_BINS)[number % PAGE_BINS] = bins[number]
    packed = {number: struct.pack(f"<{PAGE_BINS}I", *page) for number, page in pages.items()}
    return LogHistogram(count=sum(bins.values()), pages=packed)


def _counts(page: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{PAGE_BINS}I", page)


def _in_page(number: int, counts: Sequence[int], rank: float) -> float:
    """The time of ``rank`` among those of this page, which it lies in."""
    ranks = list(accumulate(counts))
    at = bisect_left(ranks, rank) if rank > 0 else next(index for index, count in enumerate(counts) if count)
    first, inside = number * PAGE_BINS + at, counts[at]
    return _edge_ms(first) + (rank - ranks[at] + inside) / inside * (_edge_ms(first + 1) - _edge_ms(first))


def bin_of(time_ms: float) -> int:
    """The number of a time's bin.

    Raises:
        ValueError: it is negative or not a finite number.
    """
    if not 0 <= time_ms < inf:
        raise _no_time(time_ms)
    if not time_ms:
        return BIN_FIRST
    return min(BIN_END - 1, max(BIN_FIRST, floor((log(time_ms) - _LOG_MS) / BIN_WIDTH)))


def _no_time(time_ms: float) -> ValueError:
    return ValueError(f"found a time of {time_ms} ms; expected 0 or more, and a number: count it as unusable")


def _edge_ms(number: int) -> float:
    return _MS * exp(number * BIN_WIDTH)
