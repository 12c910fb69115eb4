"""A candidate that speaks another API than the stable is refused, whoever asks for it and when."""

import msgspec
import pytest

from changeover.rollout.commands import Order, Refusal, RolloutRequest, set_split, start_rollout
from changeover.rollout.world import World
from changeover.versions import Account, Deployment, ModelVersion, SecretReference
from tests.unit.rollout.builders import T0, plan, seeded

ORDER = Order(actor="ana", reason="because")


def with_claude(world: World) -> World:
    account = Account(name="claude", kind="anthropic", endpoint="https://api.anthropic.com", auth=SecretReference(source="none"))
    opus = Deployment(name="opus", account="claude", model=ModelVersion(name="claude-opus-5", version="1"))
    return msgspec.structs.replace(world, accounts={**world.accounts, "claude": account}, deployments={**world.deployments, "opus": opus})


def test_a_rollout_across_apis_is_refused_at_its_start() -> None:
    request = RolloutRequest(task="email", candidate="opus", plan=plan(), id="r1", salt="s")
    with pytest.raises(Refusal, match="opus speaks Anthropic's API, the stable old speaks OpenAI's API") as caught:
        start_rollout(with_claude(seeded()), request, order=ORDER, now=T0)
    assert caught.value.code == "invalid"


def test_a_pool_with_one_stranger_is_refused() -> None:
    request = RolloutRequest(task="email", candidate="new", candidate_pool=("new", "opus"), plan=plan(), id="r1", salt="s")
    with pytest.raises(Refusal, match="opus speaks"):
        start_rollout(with_claude(seeded()), request, order=ORDER, now=T0)


def test_a_split_by_hand_across_apis_is_refused() -> None:
    with pytest.raises(Refusal, match="nothing is translated"):
        set_split(with_claude(seeded()), task="email", weights={"old": 900, "opus": 100}, salt="s", order=ORDER)
