"""What should a deployment be called, and what does its name say of its version? Names are read, never believed."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from changeover.versions.model import ModelVersion

DEFAULT_POLICY: Final = "{model}-{env}-v{mmdd}"
PLACEHOLDERS: Final = ("model", "env", "mmdd", "yymmdd", "yyyymmdd", "version")
VERSION_PLACEHOLDERS: Final = frozenset(PLACEHOLDERS[2:])
NAME_CHARACTERS_MAX: Final = 64
"""Of a deployment in Azure."""

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_DATE: Final = re.compile(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)")
_MONTH_AND_DAY: Final = re.compile(r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_MARK: Final = re.compile(r"(?<![0-9])(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4})(?![0-9])")
"""What looks like a date in a name."""

Misnaming = Literal["version-missing", "version-other", "off-policy"]


class PolicyError(ValueError):
    """The pattern cannot name deployments; the message says why, and what is expected."""


class Misnamed(NamedTuple):
    """What is wrong with a name, and what the policy would call the deployment."""

    kind: Misnaming
    better: str


class NamePolicy:
    """A pattern such as ``{model}-{env}-v{mmdd}``. ``{model}`` is written without ``-`` and ``.``.

    A version that is no date stands whole, squeezed like the model, wherever the pattern asks for a part of a date.
    """

    def __init__(self, pattern: str = DEFAULT_POLICY) -> None:
        """Raises ``PolicyError`` for a pattern whose names would be no names, or would not tell versions apart."""
        used = _PLACEHOLDER.findall(pattern)
        unknown = [each for each in used if each not in PLACEHOLDERS]
        if unknown:
            raise PolicyError(f"found {{{unknown[0]}}}; expected placeholders out of {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}")
        if "model" not in used or VERSION_PLACEHOLDERS.isdisjoint(used):
            raise PolicyError("found a pattern that does not name model and version; expected {model} and one of {mmdd}, {version}, ...")
        if not _NAME.fullmatch(_PLACEHOLDER.sub("x", pattern)):
            raise PolicyError(
                "found signs that a deployment's name cannot have; expected letters, digits and . _ - beside the placeholders"
            )
        self.pattern = pattern

    def render(self, model: ModelVersion, environment: str) -> str:
        """The name for a deployment of ``model``, at most 64 signs long."""
        parts = _parts(model, environment)
        return _PLACEHOLDER.sub(lambda found: parts[found.group(1)], self.pattern)[:NAME_CHARACTERS_MAX]

    def read(self, name: str) -> dict[str, str] | None:
        """The parts that ``name`` says by placeholder, as they stand in it; ``None`` when it does not follow the pattern."""
        seen: set[str] = set()

        def group(found: re.Match[str]) -> str:
            part = found.group(1)
            if part in seen:
                return f"(?P={part})"
            seen.add(part)
            return f"(?P<{part}>[A-Za-z0-9]+)"

        literal = re.sub(r"\\([{}])", r"\1", re.escape(self.pattern))
        matched = re.fullmatch(_PLACEHOLDER.sub(group, literal), name, re.IGNORECASE)
        return matched and matched.groupdict()

    def misnamed(self, name: str, model: ModelVersion, environment: str) -> Misnamed | None:
        """What is wrong with ``name``: it says another version, none at all, or the right one in another way."""
        better = self.render(model, environment)
        if name.casefold() == better.casefold():
            return None
        said = set(_MARK.findall(name))
        if said & set(_spellings(model.version)) or model.version in _words(name.removeprefix(model.name)):
            return Misnamed("off-policy", better)
        return Misnamed("version-other" if any(map(_is_date, said)) else "version-missing", better)


def _parts(model: ModelVersion, environment: str) -> dict[str, str]:
    squeezed = _squeezed(model.version)
    date = _DATE.search(model.version)
    whole = "".join(date.groups()) if date else squeezed
    return {
        "model": _squeezed(model.name),
        "env": environment,
        "version": squeezed,
        "yyyymmdd": whole,
        "yymmdd": whole[2:] if date else squeezed,
        "mmdd": whole[4:] if date else squeezed,
    }


def _spellings(version: str) -> Iterator[str]:
    """How a name may say ``version``."""
    date = _DATE.search(version)
    if date is None:
        yield version
        return
    year, month, day = date.groups()
    yield from (f"{year}-{month}-{day}", f"{year}{month}{day}", f"{year[2:]}{month}{day}", f"{month}{day}")


def _words(name: str) -> set[str]:
    """What stands between separators, also without the ``v`` of a version."""
    words = re.split(r"[-_.]", name)
    return {*words, *(word[1:] for word in words if word[:1] in ("v", "V"))}


def _is_date(mark: str) -> bool:
    """Whether its last four digits are a month and a day: ``4096`` in a name is no version."""
    return _MONTH_AND_DAY.fullmatch(mark.replace("-", "")[-4:]) is not None


def _squeezed(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)
