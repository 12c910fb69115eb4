"""What happens next to a rollout? The only place where one moves: every transition is a case of ``advance``.

Fence: ``rollout.moves`` is used here alone, and nothing else sets a step, a phase or a weight. ``advance`` is pure and
total. A phase that absorbs does so with every event; an event that means nothing where the rollout stands leaves it as it
is, without a command; one event moves it by at most one step. ``RollBack``, a tripped verdict and the outage brake take the
weight away in any phase in which there is one, and only the entry into a ``WeightStep`` raises one, never while paused. Rules
I1, I2, I6, I10 and I11 rest on this file.
"""

from typing import assert_never

import msgspec

from changeover.rollout import announcement, moves
from changeover.rollout.looking import assess, verify
from changeover.rollout.moves import Moved, next_step, present_step, with_progress
from changeover.rollout.overriding import DATA_PLANES, names_for, overridden
from changeover.rollout.plan import ApproveStep, ShadowStep, WeightStep, percent
from changeover.rollout.plan_rules import proof_at
from changeover.rollout.record import Approval, Finishing, Hold, Override
from changeover.rollout.state import (
    Acknowledged,
    Approved,
    Assessed,
    Event,
    Overridden,
    Pause,
    Phase,
    Progress,
    Promote,
    Provisioned,
    ProvisionFailed,
    Resume,
    RetentionPassed,
    RollBack,
    Rollout,
    Shadowed,
    Started,
    Supersede,
    Verified,
)


def advance(rollout: Rollout, event: Event, now: float) -> Moved:
    """The rollout after ``event`` at ``now`` (Unix seconds), and the side effects owed for it."""
    phase = rollout.progress.phase
    if phase.absorbs:
        return rollout, ()
    if phase is Phase.ROLLING_BACK:
        return moves.rolled_back(rollout, now) if isinstance(event, Acknowledged) else (rollout, ())
    if phase.is_promoted:
        return _after_promotion(rollout, event, now)
    return _active(rollout, event, now)


def unstarted(now: float) -> Progress:
    """The progress before ``Started``: no step taken, no weight."""
    return Progress(phase=Phase.DRAFT, step=-1, permille=0, weight_set_at=now, step_entered_at=now)


def _active(rollout: Rollout, event: Event, now: float) -> Moved:
    match event:
        case Assessed():
            return assess(rollout, event.assessment, now)
        case Acknowledged():
            return _acknowledge(rollout, now)
        case Started() | Provisioned() | ProvisionFailed() | Verified() | Shadowed():
            return _prepare(rollout, event, now)
        case RollBack():
            return moves.roll_back(rollout, event.reason, now)
        case Pause():
            return _pause(rollout, event.reason)
        case Resume():
            return _resume(rollout, now)
        case Approved() | Overridden() | Promote():
            return _let_go_on(rollout, event, now)
        case Supersede():
            return _supersede(rollout, event, now)
        case RetentionPassed():
            return rollout, ()
        case _:
            assert_never(event)


def _after_promotion(rollout: Rollout, event: Event, now: float) -> Moved:
    """The candidate is trusted; the old version is kept until it need not be."""
    phase, retain_s = rollout.progress.phase, rollout.plan.retain_s
    match event:
        case RollBack():
            return moves.roll_back(rollout, event.reason, now)
        case RetentionPassed() if phase is Phase.COMPLETED and retain_s is not None:
            kept_s = now - (rollout.progress.finished_at or now)
            return moves.retire(rollout, now) if kept_s >= retain_s else (rollout, ())
        case Acknowledged() if phase is Phase.RETIRING:
            waiting = () if DATA_PLANES in overridden(rollout.progress) else event.silent
            without = f" but {', '.join(event.silent)}, which was overridden" if event.silent else ""
            return (
                (rollout, ()) if waiting else moves.retired(rollout, f"every data plane{without} serves from a table since the promotion")
            )
        case Overridden() if phase is Phase.RETIRING:
            return _override(rollout, event, now)
        case _:
            return rollout, ()


def _prepare(rollout: Rollout, event: Started | Provisioned | ProvisionFailed | Verified | Shadowed, now: float) -> Moved:
    """What happens before the candidate has traffic. Each event means something in its own phase and step alone."""
    phase, step = rollout.progress.phase, present_step(rollout)
    match event:
        case Started() if phase is Phase.DRAFT:
            return _start(rollout, now)
        case Provisioned() if phase is Phase.PROVISIONING:
            return next_step(rollout, "the candidate is there", now)
        case ProvisionFailed() if phase is Phase.PROVISIONING:
            hold = Hold(kind="provisioning", value="0 deployments of the candidate that answer", comparator="<", limit="1")
            return moves.pause(rollout, f"the candidate could not be prepared: {event.reason}", hold)
        case Verified() if phase is Phase.VERIFYING:
            return verify(rollout, event.assessment, now)
        case Shadowed() if phase is Phase.VERIFYING and isinstance(step, ShadowStep):
            return _shadow(rollout, step, event, now)
        case _:
            return rollout, ()


def _start(rollout: Rollout, now: float) -> Moved:
    """Before its date it stays a draft."""
    plan = rollout.plan
    if plan.not_before_at is not None and now < plan.not_before_at:
        return rollout, ()
    after, commands = next_step(rollout, "started", now)
    return after, (*commands, announcement.started(after))


def _shadow(rollout: Rollout, step: ShadowStep, event: Shadowed, now: float) -> Moved:
    if event.samples >= step.samples_min:
        return next_step(rollout, f"{event.samples} copies answered, needs >= {step.samples_min}", now)
    if step.cost_usd_max is None or event.cost_usd <= step.cost_usd_max:
        return rollout, ()
    value, limit = f"{event.cost_usd:.2f} USD for {event.samples} copies", f"{step.cost_usd_max:.2f} USD"
    hold = Hold(kind="verification", value=value, comparator=">", limit=limit)
    return moves.pause(rollout, f"shadowing costs too much: {hold.sentence}; {step.samples_min} copies are asked for", hold)


def _acknowledge(rollout: Rollout, now: float) -> Moved:
    """While paused only the fact is kept; ``Resume`` moves on. A later acknowledgement never makes the first one later."""
    if rollout.progress.step < 0 or not rollout.progress.permille:
        return rollout, ()
    if rollout.progress.acknowledged_at is None:
        rollout = with_progress(rollout, msgspec.structs.replace(rollout.progress, acknowledged_at=now))
    if rollout.progress.phase is not Phase.RUNNING or not _stands_on_weight(rollout):
        return rollout, ()
    return next_step(rollout, f"weight {percent(rollout.progress.permille)} is acknowledged", now)


def _pause(rollout: Rollout, reason: str) -> Moved:
    if rollout.progress.phase is Phase.DRAFT:
        return rollout, ()
    at, most = percent(rollout.progress.permille), percent(rollout.plan.permille_max)
    return moves.pause(rollout, reason, Hold(kind="manual", value=f"{at} served", comparator="of at most", limit=most))


def _resume(rollout: Rollout, now: float) -> Moved:
    """Go on where it stood. A weight that was acknowledged during the pause is left behind in the same step, since no second
    acknowledgement may come.
    """
    if rollout.progress.phase is not Phase.PAUSED:
        return rollout, ()
    after = moves.resumed(rollout, now)
    is_running = after.progress.phase is Phase.RUNNING
    if is_running and _stands_on_weight(after) and after.progress.acknowledged_at is not None:
        return next_step(after, "resumed", now)
    return after, ()


def _let_go_on(rollout: Rollout, event: Approved | Overridden | Promote, now: float) -> Moved:
    """What people may say so that a rollout goes on. Each is put on record; none moves a weight by itself."""
    match event:
        case Approved():
            return _approve(rollout, event, now)
        case Overridden():
            return _override(rollout, event, now)
        case Promote():
            return _finish_now(rollout, event, now)


def _approve(rollout: Rollout, event: Approved, now: float) -> Moved:
    """The step is left with the next look at the evidence, if what was proven at this weight still holds; at once where
    nothing had to be.
    """
    step, before = present_step(rollout), rollout.progress
    if not isinstance(step, ApproveStep) or event.role not in step.roles or before.cleared:
        return rollout, ()
    approval = Approval(step=before.step, actor=event.actor, role=event.role, reason=event.reason, at=now)
    progress = msgspec.structs.replace(before, approvals=(*before.approvals, approval), cleared=True)
    after = with_progress(rollout, progress)
    if before.phase is not Phase.RUNNING or _rests_on_proof(after):
        return after, ()
    return next_step(after, f"approved by {event.actor} ({event.role})", now)


def _override(rollout: Rollout, event: Overridden, now: float) -> Moved:
    """Recorded for this step alone."""
    before = rollout.progress
    known = names_for(rollout.plan, before.phase)
    if before.step < 0 or not event.gates or not event.reason.strip() or not {*event.gates} <= {*known}:
        return rollout, ()
    made = Override(step=before.step, gates=event.gates, actor=event.actor, reason=event.reason, at=now)
    return with_progress(rollout, msgspec.structs.replace(before, overrides=(*before.overrides, made))), ()


def _finish_now(rollout: Rollout, event: Promote, now: float) -> Moved:
    """Not while it is paused, and only once the candidate has traffic: a pause is somebody's word, or a doubt."""
    before = rollout.progress
    known = names_for(rollout.plan, before.phase)
    is_sound = {*event.gates} <= {*known} and (bool(event.reason.strip()) or not event.gates)
    is_news = before.finishing is None or before.finishing.gates != event.gates
    if before.phase not in (Phase.RUNNING, Phase.BAKING) or not before.permille or not is_sound or not is_news:
        return rollout, ()
    wish = Finishing(gates=event.gates, actor=event.actor, reason=event.reason, at=now)
    return with_progress(rollout, msgspec.structs.replace(before, finishing=wish)), ()


def _supersede(rollout: Rollout, event: Supersede, now: float) -> Moved:
    """Only what stands still may be replaced."""
    if rollout.progress.phase not in (Phase.PAUSED, Phase.DRAFT):
        return rollout, ()
    return moves.supersede(rollout, event.by, now)


def _stands_on_weight(rollout: Rollout) -> bool:
    return isinstance(present_step(rollout), WeightStep)


def _rests_on_proof(rollout: Rollout) -> bool:
    """Whether leaving the present step wants evidence to hold still."""
    return proof_at(rollout.plan, rollout.progress.step) is not None
