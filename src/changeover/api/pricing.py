"""What did each request of a batch cost? Observations get their money, and the price that it was computed with."""

from collections.abc import Mapping
from typing import Final

import msgspec

from changeover.exchange.observation import Observation, Spent
from changeover.ports.planes import ObservationBatch
from changeover.ports.prices import PriceBook
from changeover.versions import Account, Deployment
from changeover.versions.prices import cost_of, label_of

PARTS: Final = " + "
"""Between the prices of several attempts, in the order of ``Observation.spent``."""


def priced(
    batch: ObservationBatch, *, deployments: Mapping[str, Deployment], accounts: Mapping[str, Account], book: PriceBook
) -> ObservationBatch:
    """The batch with the cost of what was served and of what was attempted in vain, at the prices of the deployments that did it
    when the request began.

    What is not known stays unknown: no answer, no token counts, no price. A cost that came with the batch is replaced.
    """

    def price(row: Observation) -> Observation:
        money, label = _cost(row, deployments=deployments, accounts=accounts, book=book)
        if (row.cost_usd, row.price) == (money, label):
            return row
        return msgspec.structs.replace(row, cost_usd=money, price=label)

    return msgspec.structs.replace(batch, observations=tuple(map(price, batch.observations)))


def _cost(
    row: Observation, *, deployments: Mapping[str, Deployment], accounts: Mapping[str, Account], book: PriceBook
) -> tuple[float | None, str | None]:
    """The sum over all attempts that say what they used, each at its own price."""
    if row.tokens is None or row.tokens.prompt is None:
        return None, None
    parts = row.spent or (Spent(deployment=row.served or "", tokens=row.tokens),)
    found = [_cost_of(part, row.started_at, deployments=deployments, accounts=accounts, book=book) for part in parts]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return None, None
    return sum(money for money, _ in known), PARTS.join(label for _, label in known)


def _cost_of(
    part: Spent, at: float, *, deployments: Mapping[str, Deployment], accounts: Mapping[str, Account], book: PriceBook
) -> tuple[float, str] | None:
    deployment = deployments.get(part.deployment)
    account = accounts.get(deployment.account) if deployment is not None else None
    if deployment is None or account is None or part.tokens.prompt is None:
        return None
    price = book.price_of(deployment, account, at)
    money = cost_of(part.tokens, price) if price is not None else None
    if price is None or money is None:
        return None
    return money, label_of(price, prompt=part.tokens.prompt)
