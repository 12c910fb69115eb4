"""What did each request of a batch cost? Observations get their money, and the price that it was computed with."""

from collections.abc import Mapping

import msgspec

from changeover.exchange.observation import Observation
from changeover.ports.planes import ObservationBatch
from changeover.ports.prices import PriceBook
from changeover.versions import Account, Deployment
from changeover.versions.prices import cost_of, label_of


def priced(
    batch: ObservationBatch, *, deployments: Mapping[str, Deployment], accounts: Mapping[str, Account], book: PriceBook
) -> ObservationBatch:
    """The batch with the cost of what was served, at the price of the deployment that served it when the request began.

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
    deployment = deployments.get(row.served or "")
    account = accounts.get(deployment.account) if deployment is not None else None
    if deployment is None or account is None or row.tokens is None or row.tokens.prompt is None:
        return None, None
    price = book.price_of(deployment, account, row.started_at)
    money = cost_of(row.tokens, price) if price is not None else None
    if price is None or money is None:
        return None, None
    return money, label_of(price, prompt=row.tokens.prompt)
