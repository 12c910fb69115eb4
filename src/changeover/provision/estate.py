"""What did a look at Azure find? Every resource with its deployments and their troubles, and what could not be seen."""

import msgspec

from changeover.provision.actual import ActualAccount
from changeover.provision.survey import Surveyed


class FoundAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A resource with what stands in it."""

    account: ActualAccount
    deployments: tuple[Surveyed, ...]


class Estate(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, of all that the identity may see. ``names`` are all resources; ``unseen`` says in a line each what it may
    not see.
    """

    accounts: tuple[FoundAccount, ...]
    names: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
