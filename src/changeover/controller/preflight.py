"""Does a candidate take what its task is asked? Tries every member with the task's request shapes, before it gets traffic."""

import asyncio
from collections.abc import Sequence
from typing import Final

from changeover.controller.trial import Pace, Trial
from changeover.ports.clock import Clock
from changeover.ports.office import Office
from changeover.ports.probing import Prober, Progress, Tell
from changeover.ports.store import Store
from changeover.rollout.preflight import Findings
from changeover.rollout.world import World
from changeover.versions import Account, Deployment
from changeover.versions.dialect import Dialect, dialect_of
from changeover.wire.probe import Probe, plain_probe, probes_of
from changeover.wire.sent_shape import SentShape
from changeover.wire.surface import Surface

PROBES_MAX: Final = 20
"""Shapes tried on one member."""
AT_ONCE_MAX: Final = 4
"""Requests under way at one time, over all members."""


class Preflight:
    """``ports.probing.Preflighter``. Keeps nothing between two calls."""

    def __init__(self, office: Office, prober: Prober, clock: Clock, *, pace: Pace | None = None) -> None:
        self._office = office
        self._prober = prober
        self._clock = clock
        self._pace = pace or Pace()

    async def check(self, task: str, members: Sequence[str], *, samples: Sequence[Probe], tell: Tell) -> Findings:
        """See ``Preflighter``."""
        world, shapes = await self._office.read(lambda store: _world_and_shapes(store, task))
        made, known = probes_of(shapes, most=PROBES_MAX)
        probes = (*_varied(samples), *made)[:PROBES_MAX]
        known += len(samples)
        tell(Progress(sent=0, text=_plan_text(task, members, tried=len(probes), known=known)))
        turns, counter = asyncio.Semaphore(AT_ONCE_MAX), _Counter(tell)
        trials = [self._trial(world, name, probes, turns=turns, counter=counter) for name in members]
        found = await asyncio.gather(*(trial.run() for trial in trials))
        return Findings(
            sent=counter.sent,
            shapes=len(probes),
            known=known,
            unsupported=tuple(each for one in found for each in one.unsupported),
            unverified=tuple(each for one in found for each in one.unverified),
            settings={name: one.settings for name, one in zip(members, found, strict=True)},
            not_tried=tuple(sorted({name for probe in probes for name in probe.left_out})),
        )

    def _trial(self, world: World, name: str, probes: Sequence[Probe], *, turns: asyncio.Semaphore, counter: "_Counter") -> Trial:
        deployment = world.deployments[name]
        account = world.accounts[deployment.account]
        return Trial(
            deployment,
            account,
            probes or (plain_probe(plain_surface(deployment, account)),),
            prober=self._prober,
            pace=self._pace,
            clock=self._clock,
            turns=turns,
            answered=counter.answered,
        )


class _Counter:
    """Counts requests and passes the count on."""

    def __init__(self, tell: Tell) -> None:
        self.sent = 0
        self._tell = tell

    def answered(self, text: str) -> None:
        self.sent += 1
        self._tell(Progress(sent=self.sent, text=text))


def plain_surface(deployment: Deployment, account: Account) -> Surface:
    """What a deployment can be asked of which nothing is known but its model."""
    if dialect_of(account.kind) is Dialect.ANTHROPIC:
        return Surface.MESSAGES
    return Surface.EMBEDDINGS if "embed" in deployment.model.name.lower() else Surface.CHAT


def _varied(samples: Sequence[Probe]) -> list[Probe]:
    """First one of each kind, by its parameters; the rest behind them."""
    firsts = {(sample.surface, frozenset(sample.names)): sample for sample in reversed(samples)}
    chosen = [sample for sample in samples if firsts[sample.surface, frozenset(sample.names)] is sample]
    return [*chosen, *(sample for sample in samples if all(sample is not first for first in chosen))]


def _world_and_shapes(store: Store, task: str) -> tuple[World, Sequence[SentShape]]:
    return store.world(), store.shapes(task)


def _plan_text(task: str, members: Sequence[str], *, tried: int, known: int) -> str:
    names = ", ".join(members)
    if not tried:
        return f"no request of {task} has been seen yet: one plain request shows whether {names} answers"
    of = f"{tried}" if tried == known else f"{tried} of {known}"
    return f"trying {names} with {of} request shape{'s' if tried > 1 else ''} of {task}"
