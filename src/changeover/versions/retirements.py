"""Until when does a version serve, as far as a provider's published list said on its day? Lists are dated, and dates move."""

import msgspec

from changeover.versions.dates import first_moment
from changeover.versions.model import AccountKind, ModelVersion


class ListedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One row. ``status`` is the documentation's word, not ARM's; ``retires`` a day, ``None`` where none is published."""

    model: str
    version: str
    status: str
    retires: str | None = None

    @property
    def retires_at(self) -> float | None:
        """The first moment of that day, as Unix seconds."""
        return None if self.retires is None else first_moment(self.retires)


class RetirementList(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider published until ``as_of``. Where it named two dates for one version, the earlier stands here."""

    provider: AccountKind
    as_of: str
    source: str
    rows: tuple[ListedVersion, ...]

    def row_of(self, model: ModelVersion) -> ListedVersion | None:
        return next((each for each in self.rows if (each.model, each.version) == (model.name, model.version)), None)


def read_list(data: bytes) -> RetirementList:
    """A list as it is shipped, JSON.

    Raises:
        msgspec.ValidationError: it is not of that form.
    """
    return msgspec.json.decode(data, type=RetirementList)
