"""Every attempt is paid at the price of who made it."""

import msgspec
import pytest

from changeover.evidence.cost import summarise_cost
from changeover.exchange.observation import Spent, Tokens
from changeover.ports.planes import ObservationBatch
from changeover.traffic.table import Side
from tests.unit.api.test_pricing import ACCOUNTS, BOOK, DEPLOYMENTS, USED, cost, one, priced

VAIN = Spent(deployment="old", tokens=Tokens(prompt=1000, completion=0))
SUM = Tokens(prompt=2000, completion=100)
OLD_PRICE = "azure gpt-4o 2024-11-20 global standard 2/-/8 USD/M; told"


def test_what_was_used_in_vain_is_added_and_both_prices_are_kept() -> None:
    row = msgspec.structs.replace(one("old", tokens=SUM), spent=(VAIN, Spent(deployment="old", tokens=USED)))
    assert cost(row) == (pytest.approx(0.0048), f"{OLD_PRICE} + {OLD_PRICE}")


def test_an_attempt_in_vain_without_an_answer_has_its_cost() -> None:
    row = msgspec.structs.replace(one(None, tokens=VAIN.tokens), spent=(VAIN,))
    assert cost(row) == (pytest.approx(0.002), OLD_PRICE)


@pytest.mark.parametrize("deployment", ["new", "lost", "unheard-of"])
def test_a_part_without_a_price_leaves_the_whole_without_one(deployment: str) -> None:
    vain = Spent(deployment=deployment, tokens=USED)
    assert cost(msgspec.structs.replace(one("old", tokens=SUM), spent=(vain, Spent(deployment="old", tokens=USED)))) == (None, None)


def test_a_part_that_does_not_say_all_that_is_charged_leaves_the_whole_unknown() -> None:
    vain = Spent(deployment="old", tokens=Tokens(prompt=5))
    assert cost(msgspec.structs.replace(one("old", tokens=SUM), spent=(vain, Spent(deployment="old", tokens=USED)))) == (None, None)


def test_the_candidates_side_pays_for_what_it_did_in_vain() -> None:
    row = msgspec.structs.replace(
        one("old", tokens=SUM),
        task="email",
        attempt=1,
        unit="u",
        side=Side.CANDIDATE,
        candidate_probability=0.5,
        spent=(VAIN, Spent(deployment="old", tokens=USED)),
    )
    batch = ObservationBatch(plane="p", boot="b", sequence=1, watermark_at=0.0, observations=(row,))
    (stratum,) = summarise_cost(block=0, rows=priced(batch, deployments=DEPLOYMENTS, accounts=ACCOUNTS, book=BOOK).observations).strata
    assert stratum.candidate.money.mean == pytest.approx(0.0048)
    assert (stratum.candidate.input.mean, stratum.candidate.output.mean) == (2000, 100)
    assert stratum.stable.units == 0
