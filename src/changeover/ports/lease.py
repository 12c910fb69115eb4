"""Who of several control planes acts? One at a time holds the lease, under a number that only grows."""

from typing import Final, Protocol

import msgspec

CONTROLLER: Final = "controller"
"""The lease of whoever moves rollouts and settles what changes owe."""
LEASE_S: Final = 5.0
"""A holder that was not heard of for so long has lost it to whoever asks."""
RENEW_S: Final = 1.0
"""How often the holder says that it is there, and the others look."""


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """``epoch`` rises by one whenever the lease is taken; what its holder commits carries it (rule I7). ``holder`` is empty
    where the last one gave it back. ``expires_at`` (Unix seconds) is by the holder's clock, for people: nobody else compares it.
    """

    name: str
    holder: str
    epoch: int
    expires_at: float


class LeaseShelf(Protocol):
    """Leases, each written by one control plane at a time."""

    def lease(self, name: str) -> Lease | None:
        """The lease as it stands; ``None`` when it was never taken."""
        ...

    def take_lease(self, name: str, *, holder: str, seen: Lease | None, expires_at: float) -> Lease | None:
        """Take it with the next epoch, if it still stands as it was ``seen``; ``None`` when somebody else was quicker."""
        ...

    def renew_lease(self, lease: Lease, *, expires_at: float) -> Lease:
        """Say that its holder is there.

        Raises:
            LeaseLostError: it was taken by somebody else.
        """
        ...

    def release_lease(self, lease: Lease) -> None:
        """Give it back, so that another need not wait. What was taken by somebody else stays."""
        ...
