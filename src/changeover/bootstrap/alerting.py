"""Where do alerts go, as the file says it now? Read anew whenever it was written, so that an edit counts without a restart."""

from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from changeover.adapters.alerts import destination_for
from changeover.adapters.credentials.secrets import resolve_secret
from changeover.controller.outbox import AlertOutbox
from changeover.controller.weekly import Weekly
from changeover.ports.alerts import Destination
from changeover.ports.clock import Clock
from changeover.ports.dice import Dice
from changeover.ports.office import Office
from changeover.settings.declared import Declared, SettingsError
from changeover.settings.declared_alert import SummaryMoment

log = structlog.get_logger("alerts")


class AlertSettings:
    """What the file at ``path`` says of alerts. While it cannot be used, what it said before holds."""

    def __init__(self, path: Path, read: Callable[[Path], Declared]) -> None:
        self._path = path
        self._read = read
        self._seen: tuple[int, int] | None = None
        self._destinations: Sequence[Destination] = ()
        self._moment = SummaryMoment()

    def destinations(self) -> Sequence[Destination]:
        self._refresh()
        return self._destinations

    def moment(self) -> SummaryMoment:
        self._refresh()
        return self._moment

    def _refresh(self) -> None:
        seen = self._written()
        if seen is None or seen == self._seen:
            return
        self._seen = seen
        try:
            declared = self._read(self._path)
        except SettingsError:
            log.error("the settings file cannot be used; alerts go where it said before", file=str(self._path))
            return
        self._destinations = tuple(destination_for(each, resolve=resolve_secret) for each in declared.alerts)
        self._moment = declared.policy.summary

    def _written(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def alert_outbox(
    office: Office, clock: Clock, dice: Dice, *, config: Path, read: Callable[[Path], Declared], address: Callable[[], str]
) -> AlertOutbox:
    """The outbox of a control plane whose own address is ``address``, empty while it has none."""
    settings = AlertSettings(config, read)
    weekly = Weekly(office, clock, moment=settings.moment)
    return AlertOutbox(office, clock, dice, destinations=settings.destinations, address=address, weekly=weekly)
