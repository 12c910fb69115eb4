"""What the calls about alerts answer with. The command line decodes the same shapes; fields are only ever added."""

import msgspec

from changeover.ports.alerts import DestinationStanding, Tried


class AlertsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the file."""

    destinations: tuple[DestinationStanding, ...]


class TriedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One result a destination, in the order of the file."""

    results: tuple[Tried, ...]
