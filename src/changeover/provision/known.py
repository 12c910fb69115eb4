"""What has been read of Azure: resources, their deployments, and what their regions offer."""

import msgspec

from changeover.provision.actual import ActualAccount, ActualDeployment
from changeover.provision.offers import Offer
from changeover.provision.quota import Quota


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """What one subscription is offered in one region, and how much of it is left."""

    offers: tuple[Offer, ...] = ()
    quotas: tuple[Quota, ...] = ()


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read. ``accounts`` and ``deployments`` are by the account's name in the file; ``regions`` by
    subscription and region. ``stables`` says for a candidate which deployment its task trusts. ``unread`` are regions that
    could not be read, with the reason: what they offer is not judged.
    """

    accounts: dict[str, ActualAccount]
    deployments: dict[str, tuple[ActualDeployment, ...]]
    regions: dict[tuple[str, str], Region] = {}
    stables: dict[str, str] = {}
    unread: tuple[str, ...] = ()
