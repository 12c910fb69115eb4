"""How does one transition of a rollout become a proposal, with what it rested on?"""

import msgspec

from changeover.gates.verdict import Assessment
from changeover.rollout.machine import advance
from changeover.rollout.refusal import NothingToDo, Refusal
from changeover.rollout.state import Acknowledged, Assessed, Event, Phase, Rollout, Verified
from changeover.rollout.world import Proposal, RolloutMoved, World


def move(world: World, *, rollout_id: str, event: Event, now: float, actor: str, reason: str = "") -> Proposal:
    """Take one transition of a rollout; without a ``reason`` the machine's own is recorded.

    Raises:
        NothingToDo: the event changes nothing where the rollout stands.
        Refusal: there is no such rollout.
    """
    before = world.rollouts.get(rollout_id)
    if before is None:
        raise Refusal("not_found", f"there is no rollout {rollout_id}", hint="List them: changeover rollout ls")
    after, commands = advance(before, event, now)
    if after == before:
        raise NothingToDo(f"rollout {rollout_id} stays as it is: {before.progress.phase}, step {before.progress.step + 1}")
    body = RolloutMoved(rollout=rollout_id, event=str(event.__struct_config__.tag), progress=after.progress)
    if isinstance(event, Assessed | Verified):
        body = _resting_on(event.assessment, body)
    return Proposal(actor=actor, reason=reason or _own_reason(after, event), body=body, commands=commands)


def _own_reason(after: Rollout, event: Event) -> str:
    """A rollback keeps its reason when it is done; the log says what happened now."""
    if after.progress.phase is Phase.ROLLED_BACK and isinstance(event, Acknowledged):
        unheard = f"; not heard of: {', '.join(event.silent)}" if event.silent else ""
        return f"every live data plane serves without {after.candidate}{unheard}"
    return after.progress.reason


def _resting_on(found: Assessment, body: RolloutMoved) -> RolloutMoved:
    return msgspec.structs.replace(
        body,
        verdicts=found.verdicts,
        evidence_hash=found.evidence_hash,
        sample_ratio=found.sample_ratio,
        config_hash=found.config_hash,
        closed=found.closed,
        brake=found.brake,
    )
