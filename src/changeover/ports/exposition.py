"""What do we tell Prometheus? Families of samples, and their text. Pure: whoever has the numbers brings them."""

from collections.abc import Iterable, Sequence
from math import inf, isnan
from typing import Final, Literal

import msgspec

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One number. ``suffix`` follows the family's name: ``_bucket``, ``_sum`` and ``_count`` of a histogram."""

    labels: Labels
    value: float
    suffix: str = ""


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one meaning. Names of counters end in ``_total``; units are base units (seconds, bytes)."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: tuple[Sample, ...] = ()


def labels(**named: str | None) -> Labels:
    """The labels that are there."""
    return tuple((name, value) for name, value in named.items() if value is not None)


def gauge(name: str, text: str, value: float, at: Labels = ()) -> Family:
    return Family(name=name, kind="gauge", help=text, samples=(Sample(at, value),))


def histogram_samples(at: Labels, *, bounds_s: Sequence[float], counts: Sequence[int], sum_s: float) -> tuple[Sample, ...]:
    """``counts`` by bucket, one more than there are bounds; Prometheus wants them cumulative."""
    samples: list[Sample] = []
    total = 0
    for bound, count in zip((*bounds_s, inf), counts, strict=True):
        total += count
        samples.append(Sample((*at, ("le", number_text(bound))), total, "_bucket"))
    return (*samples, Sample(at, sum_s, "_sum"), Sample(at, total, "_count"))


def joined(groups: Iterable[Sequence[Family]]) -> list[Family]:
    """The families of several data planes as one: those of a name stand together, as the format demands."""
    found: dict[str, Family] = {}
    for group in groups:
        for family in group:
            known = found.get(family.name)
            samples = family.samples if known is None else known.samples + family.samples
            found[family.name] = msgspec.structs.replace(family, samples=samples)
    return list(found.values())


def render(families: Iterable[Family]) -> bytes:
    """The text format, version 0.0.4."""
    return "".join(_lines(family) for family in families).encode()


def number_text(value: float) -> str:
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    if isnan(value):
        return "NaN"
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _lines(family: Family) -> str:
    text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    head = f"# HELP {family.name} {text}\n# TYPE {family.name} {family.kind}\n"
    return head + "".join(f"{family.name}{each.suffix}{_braced(each.labels)} {number_text(each.value)}\n" for each in family.samples)


def _braced(at: Labels) -> str:
    if not at:
        return ""
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in at)
    return f"{{{inner}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
