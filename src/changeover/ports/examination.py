"""What a look at one thing found: is it well, and if not, what is to be done?"""

from enum import StrEnum

import msgspec


class Health(StrEnum):
    """WARN: it works, and may bite. FAIL: something will not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``about`` in a word or two, ``found`` in a line, and where it is not well what to do about it. Never a secret."""

    about: str
    health: Health
    found: str
    remedy: str = ""


def ok(about: str, found: str) -> Finding:
    return Finding(about=about, health=Health.OK, found=found)


def warn(about: str, found: str, remedy: str) -> Finding:
    return Finding(about=about, health=Health.WARN, found=found, remedy=remedy)


def fail(about: str, found: str, remedy: str) -> Finding:
    return Finding(about=about, health=Health.FAIL, found=found, remedy=remedy)
