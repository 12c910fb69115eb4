"""Latency is modelled: seeded, shared out over a stream, and slower for longer answers."""

from statistics import median

import msgspec

from changeover.azure_sim.answer import Answer
from changeover.azure_sim.chat_request import read_chat
from changeover.azure_sim.resource import REMEMBERED_TEXTS_MAX, Planned, Resource
from changeover.azure_sim.stage import Latency, Stage, StagedDeployment
from tests.unit.azure_sim.wire import KEY, chat

LATENCY = Latency(first_token_ms=20.0, per_token_ms=2.0, spread=0.3)
SHORT = "It is short."
LONG = "This one sentence is a great deal longer than the other one, so that it takes many more tokens to say all of it to the end."


def planned(document: str, *, count: int, seed: int = 1) -> list[Planned[Answer]]:
    deployment = StagedDeployment(name="x", version="2026-01-15", method="first-sentence", latency=LATENCY)
    resource = Resource(Stage(account="a", deployments=(deployment,)), key=KEY, seed=seed)
    request = read_chat(msgspec.json.encode(chat(document)))
    return [resource.plan("x", request.prompt()) for _ in range(count)]


def test_the_median_time_to_the_first_token_is_the_declared_one() -> None:
    assert 18.0 < median(plan.first_token_s * 1000 for plan in planned(SHORT, count=1001)) < 22.0


def test_a_longer_answer_takes_longer() -> None:
    assert median(plan.whole_s for plan in planned(LONG, count=101)) > 2 * median(plan.whole_s for plan in planned(SHORT, count=101))


def test_one_seed_gives_one_sequence_of_times_and_another_seed_another() -> None:
    times = [[plan.whole_s for plan in planned(LONG, count=20, seed=seed)] for seed in (1, 1, 2)]
    assert times[0] == times[1]
    assert times[0] != times[2]


def test_the_memory_of_texts_is_bounded_and_never_changes_an_answer() -> None:
    deployment = StagedDeployment(name="x", version="2026-01-15", method="first-sentence")
    served = Resource(Stage(account="a", deployments=(deployment,)), key=KEY).deployment("x")
    before = served.summarise(LONG)
    for number in range(REMEMBERED_TEXTS_MAX + 1):
        served.summarise(f"Text number {number} is here.")
    assert served.summarise(LONG) == before
    assert len(served._summaries) <= REMEMBERED_TEXTS_MAX
