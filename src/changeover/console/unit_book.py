"""Which of the caller's own ids is behind a hashed unit? Looked up, never sent anywhere. Pure."""

from collections.abc import Iterable, Mapping

from changeover.exchange.unit import UNIT_HEADER, find_unit
from changeover.traffic.assignment import hash_unit

_NO_SALT = ""


class UnitBook:
    """The caller's ids by their hash, for each attempt that is asked about.

    ``salts`` are by attempt; one that is not there drew with no salt, as requests do while nothing is on trial.
    """

    def __init__(self, units: Iterable[str], salts: Mapping[int, str]) -> None:
        self._units = [unit for line in units if (unit := find_unit({UNIT_HEADER: line.encode()}, {}, ())) is not None]
        self._salts = salts
        self._by_attempt: dict[int, dict[str, str]] = {}

    def unit_of(self, hashed: str, *, attempt: int) -> str:
        """The id, empty where it is none of them."""
        book = self._by_attempt.get(attempt)
        if book is None:
            salt = self._salts.get(attempt, _NO_SALT)
            book = self._by_attempt[attempt] = {hash_unit(salt, unit): unit for unit in self._units}
        return book.get(hashed, "")
