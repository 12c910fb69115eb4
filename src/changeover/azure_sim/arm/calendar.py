"""What is true of a model version at a moment, in a region, for a SKU? Defaults and retirements, with the dates that were moved."""

from collections.abc import Iterable, Mapping

from changeover.azure_sim.arm.catalogue import DefaultChange, ModelVersion, RetirementChange, built_in, built_in_defaults
from changeover.azure_sim.arm.estate import Estate
from changeover.azure_sim.arm.moments import NEVER


class Calendar:
    """The catalogue, and what was said about it since. Reads ``estate`` anew every time."""

    def __init__(self, estate: Estate, *, own: Iterable[ModelVersion] = ()) -> None:
        self._estate = estate
        rows = (*built_in(), *own)
        self._rows: Mapping[tuple[str, str], ModelVersion] = {(row.name, row.version): row for row in rows}

    def all(self) -> list[ModelVersion]:
        return list(self._rows.values())

    def find(self, name: str, version: str) -> ModelVersion | None:
        return self._rows.get((name, version))

    def offered(self, name: str, version: str, *, region: str) -> ModelVersion | None:
        row = self.find(name, version)
        return row if row is not None and region in row.regions else None

    def retires_at(self, row: ModelVersion, *, region: str, sku: str | None = None) -> float:
        """When the service ends; with ``sku`` its own, earlier date where there is one."""
        dates: dict[str | None, float] = {None: row.retires_at}
        for change in self._estate.retirements:
            if (change.name, change.version) == (row.name, row.version) and change.region in (None, region):
                dates[change.sku] = change.at
        return min(dates[None], dates.get(sku, NEVER))

    def sku_date(self, row: ModelVersion, *, region: str, sku: str) -> float | None:
        """The date that was set for this SKU alone."""
        found = [change for change in self._estate.retirements if _is_for(change, row, region=region, sku=sku)]
        return found[-1].at if found else None

    def default_changes(self, name: str, *, region: str) -> list[DefaultChange]:
        """In the order of their time. A change for one region stands beside those for all."""
        changes = [*built_in_defaults(), *self._estate.defaults]
        return sorted((each for each in changes if each.name == name and each.region in (None, region)), key=lambda each: each.at)

    def default_version(self, name: str, *, region: str, at: float) -> str | None:
        """The default version of a model; where none was ever named, its only or newest one."""
        named = [change.version for change in self.default_changes(name, region=region) if change.at <= at]
        if named:
            return named[-1]
        versions = sorted(row.version for row in self._rows.values() if row.name == name and region in row.regions)
        return versions[-1] if versions else None

    def lifecycle(self, row: ModelVersion, *, region: str, at: float) -> str:
        """The API's word; what is past its date is ``Deprecated`` there, which the documents call retired."""
        return "Deprecated" if at >= self.retires_at(row, region=region) else row.lifecycle


def _is_for(change: RetirementChange, row: ModelVersion, *, region: str, sku: str) -> bool:
    return (change.name, change.version, change.sku) == (row.name, row.version, sku) and change.region in (None, region)
