"""What must change so that the store is as the file says? Every place at which they differ, and the change that takes it over.

Nothing here undoes a promotion or a rollback unless it is told to, touches what a rollout under way rests on, or takes away
what serves.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.rollout.amendment import Amendment, Effect
from changeover.rollout.commands import standing_promotion
from changeover.rollout.state import Rollout
from changeover.rollout.terms import Intent, Terms
from changeover.rollout.world import Applied, TaskState, World
from changeover.settings import stable_moves
from changeover.settings.amended_world import world_faults
from changeover.settings.changes import field_changes, in_one_line
from changeover.settings.declared import Declared, DeclaredTask
from changeover.settings.in_force import in_force, is_spent
from changeover.settings.plans import terms_of
from changeover.settings.stable_moves import busy_words, rollout_members
from changeover.settings.written_file import criteria_entry, evidence_entry, file_tree, side
from changeover.versions import Account, Deployment

V = TypeVar("V", Account, Deployment)


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the file alone may not do: ``stables`` names tasks whose stable moves to the file's although a rollout decided
    otherwise; ``allow_remove`` takes tasks out, and the way back of promotions.
    """

    stables: tuple[str, ...] = ()
    allow_remove: bool = False


NO_WISHES: Final = Wishes()


class Amending(NamedTuple):
    """``applied`` is ``None`` where nothing is to be changed, or may be. ``faults`` say why the whole of it cannot be applied
    although each part could.
    """

    amendments: tuple[Amendment, ...]
    applied: Applied | None
    faults: tuple[str, ...] = ()


def amending(world: World, declared: Declared, *, terms: Terms | None = None, wishes: Wishes = NO_WISHES) -> Amending:
    """How ``world`` becomes what ``declared`` says. ``terms`` are those in force where the world holds none."""
    applied = _Draft(world, world.terms or terms or terms_of(declared), declared, wishes).applied()
    if not any(each.is_change for each in applied.amendments):
        return Amending(applied.amendments, None)
    faults = world_faults(world, applied)
    return Amending(applied.amendments, None if faults else applied, faults)


class _Draft:
    """The change in the making. Both sides are also held as trees, in the words of the file, to say what differs."""

    def __init__(self, world: World, base: Terms, declared: Declared, wishes: Wishes) -> None:
        self._world = world
        self._base = base
        self._declared = declared
        self._wishes = wishes
        self._stored_tree = file_tree(in_force(world, base))
        self._wanted_tree = file_tree(declared)
        self._active = [world.rollouts[task.rollout] for task in world.tasks.values() if task.rollout is not None]
        self._amendments: list[Amendment] = []

    def applied(self) -> Applied:
        accounts = self._entries("accounts", self._world.accounts, self._declared.accounts, self._trials_on)
        deployments = self._entries("deployments", self._world.deployments, self._declared.deployments, self._trials_of)
        states = {name: state for name, task in self._declared.tasks.items() if (state := self._task(task)) is not None}
        gone = self._removed_tasks()
        after = {name: state for name, state in (self._world.tasks | states).items() if name not in gone}
        terms = Terms(criteria=self._criteria(after), evidence=self._evidence(), intents=self._intents(after))
        unrouted = self._unrouted()
        removed = self._removed_deployments(after)
        return Applied(
            accounts=tuple(accounts),
            deployments=tuple(deployments),
            tasks=tuple(state for name, state in states.items() if state != self._world.tasks.get(name)),
            removed_tasks=gone,
            removed_deployments=removed,
            removed_accounts=self._removed_accounts(removed, unrouted),
            unrouted_account=unrouted,
            terms=terms,
            amendments=tuple(self._amendments),
        )

    def _entries(self, section: str, stored: Mapping[str, V], declared: Mapping[str, V], trials: Callable[[str], list[Rollout]]) -> list[V]:
        """Those of ``declared`` that are new, or changed and may be."""
        found: list[V] = []
        for name, entry in declared.items():
            before = stored.get(name)
            if before == entry:
                continue
            why = "" if before is None else busy_words(trials(name))
            self._tell(section, name, why=why, note=self._repinned(before, entry))
            found += [] if why else [entry]
        return found

    def _repinned(self, before: Account | Deployment | None, after: Account | Deployment) -> str:
        """What another version under the same name means to the tasks that trust it."""
        if not isinstance(before, Deployment) or not isinstance(after, Deployment) or before.model == after.model:
            return ""
        serving = [task.name for task in self._world.tasks.values() if before.name in (task.stable, *task.stable_pool)]
        if not serving:
            return ""
        return f"the stable of {', '.join(serving)}: all its traffic at once, without a trial; under another name a rollout can try it"

    def _trials_of(self, deployment: str) -> list[Rollout]:
        return [rollout for rollout in self._active if deployment in rollout_members(rollout)]

    def _trials_on(self, account: str) -> list[Rollout]:
        there = {name for name, deployment in self._world.deployments.items() if deployment.account == account}
        return [rollout for rollout in self._active if not there.isdisjoint(rollout_members(rollout))]

    def _trials_for(self, task: str) -> list[Rollout]:
        return [rollout for rollout in self._active if rollout.task == task]

    def _task(self, task: DeclaredTask) -> TaskState | None:
        """How the task is after it; ``None`` for one that may not be added."""
        state = self._world.tasks.get(task.name)
        if state is None:
            return self._new_task(task)
        effect, note = stable_moves.effect_of(self._world, state, task, told=task.name in self._wishes.stables)
        if effect is not None:
            before, after = side(state.stable, state.stable_pool), side(task.stable, task.stable_pool)
            self._note(f"tasks.{task.name}.stable", effect, before, after, note)
        if effect == "changed":
            settled = state.settled if task.stable == state.stable else state.attempts
            state = msgspec.structs.replace(state, stable=task.stable, stable_pool=task.stable_pool, settled=settled)
        return self._rest_of(state, task)

    def _rest_of(self, state: TaskState, task: DeclaredTask) -> TaskState:
        """Everything but the stable."""
        path, trusted = f"tasks.{task.name}", stable_moves.trusted_by(state)
        busy = busy_words(self._trials_for(task.name))
        if state.sticky_by != task.sticky_by:
            self._note(f"{path}.sticky_by", "refused" if busy else "changed", list(state.sticky_by), list(task.sticky_by), busy)
            state = state if busy else msgspec.structs.replace(state, sticky_by=task.sticky_by)
        stored, spares = [[name for name in names if name not in trusted] for names in (state.failover, task.failover)]
        if spares != stored:
            self._note(f"{path}.failover", "changed", stored, spares)
            state = msgspec.structs.replace(state, failover=tuple(spares))
        if state.slice_by != task.slice_by:
            self._note(f"{path}.slice_by", "changed", list(state.slice_by), list(task.slice_by))
            state = msgspec.structs.replace(state, slice_by=task.slice_by)
        return state

    def _new_task(self, task: DeclaredTask) -> TaskState | None:
        past = self._world.past_tasks.get(task.name, TaskState(name=task.name, stable=task.stable))
        why = stable_moves.against_adding(self._world, past, task)
        self._tell("tasks", task.name, why=why)
        if why:
            return None
        return msgspec.structs.replace(
            past,
            stable=task.stable,
            stable_pool=task.stable_pool,
            sticky_by=task.sticky_by,
            failover=task.failover,
            slice_by=task.slice_by,
            settled=past.attempts,
        )

    def _removed_tasks(self) -> tuple[str, ...]:
        gone: list[str] = []
        for name, state in self._world.tasks.items():
            if name in self._declared.tasks:
                continue
            why = busy_words(self._trials_for(name)) or stable_moves.split_words(state)
            told = self._wishes.allow_remove
            kept = "" if told else "a task serves its callers: it is taken out only with --allow-remove"
            effect: Effect = "removed" if told else "kept"
            note = why or kept or "who still asks for it is no longer served by it"
            self._note(f"tasks.{name}", "refused" if why and told else effect, side(state.stable, state.stable_pool), None, note)
            gone += [name] if told and not why else []
        return tuple(gone)

    def _criteria(self, after: Mapping[str, TaskState]) -> dict[str, Criteria]:
        found: dict[str, Criteria] = {}
        for name in after:
            before, task = self._base.criteria.get(name), self._declared.tasks.get(name)
            wanted = before if task is None else task.criteria
            if before is not None and wanted is not None and _asked(before) != _asked(wanted):
                busy = busy_words(self._trials_for(name), more="a changed margin is a new attempt with empty evidence")
                self._compare(f"tasks.{name}.criteria", criteria_entry(before), criteria_entry(wanted), why=busy)
                wanted = before if busy else wanted
            if wanted is not None:
                found[name] = wanted
        return found

    def _evidence(self) -> EvidenceRules:
        before, after = self._base.evidence, self._declared.evidence
        if before == after:
            return before
        busy = busy_words(self._active, more="other rules are a new attempt with empty evidence")
        self._compare("evidence", evidence_entry(before), evidence_entry(after), why=busy)
        return before if busy else after

    def _intents(self, after: Mapping[str, TaskState]) -> dict[str, Intent]:
        """The declared rollouts. One that is over, because its candidate is trusted now, is nobody's difference."""
        wanted = {name: each for name, each in terms_of(self._declared).intents.items() if each.task in after}
        stored = _open(self._base.intents, self._world.tasks)
        shown = _open(wanted, after)
        for name in dict.fromkeys((*shown, *stored)):
            before, now = stored.get(name), shown.get(name)
            if before == now:
                continue
            if now is None:
                self._note(f"rollouts.{name}", "removed", before and side(before.candidate, before.candidate_pool), None)
                continue
            busy = busy_words(each for each in self._active if before is not None and _is_of(each, before))
            self._tell("rollouts", name, why=busy)
            if busy and before is not None:
                wanted[name] = before
        return wanted

    def _unrouted(self) -> str | None:
        before, after = self._world.unrouted_account, self._declared.unrouted_account
        if before != after:
            self._note("gateway.unrouted", "changed", before or "refuse", after or "refuse")
        return after

    def _removed_deployments(self, after: Mapping[str, TaskState]) -> tuple[str, ...]:
        gone: list[str] = []
        for name, deployment in self._world.deployments.items():
            if name in self._declared.deployments:
                continue
            why = self._use_of(name, after)
            self._note(f"deployments.{name}", "kept" if why else "removed", str(deployment.model), None, why)
            gone += [] if why else [name]
        return tuple(gone)

    def _use_of(self, deployment: str, after: Mapping[str, TaskState]) -> str:
        """Why a deployment may not go; empty where nobody needs it."""
        trials = self._trials_of(deployment)
        if trials:
            return busy_words(trials)
        for state in after.values():
            split = () if state.split is None else (state.split.candidate,)
            if deployment in (state.stable, *state.stable_pool, *state.failover, *split):
                return f"task {state.name} names it"
            back = standing_promotion(self._world, state)
            if back is not None and not self._wishes.allow_remove and deployment in (back.stable, *back.stable_pool):
                return f"it is the way back of rollout {back.id}; --allow-remove gives that up"
        return ""

    def _removed_accounts(self, removed: Collection[str], unrouted: str | None) -> tuple[str, ...]:
        gone: list[str] = []
        for name, account in self._world.accounts.items():
            if name in self._declared.accounts:
                continue
            used = [each.name for each in self._world.deployments.values() if each.account == name and self._stays(each.name, removed)]
            why = f"{', '.join(used)} on it stays" if used else "the gateway sends to it" if unrouted == name else ""
            self._note(f"accounts.{name}", "kept" if why else "removed", account.endpoint, None, why)
            gone += [] if why else [name]
        return tuple(gone)

    def _stays(self, deployment: str, removed: Collection[str]) -> bool:
        """Whether it is after this where it is now: kept although the file has it no more, or has it elsewhere."""
        if deployment in self._declared.deployments:
            return bool(self._trials_of(deployment))
        return deployment not in removed

    def _tell(self, section: str, name: str, *, why: str = "", note: str = "") -> None:
        """Say every field in which an entry differs; with ``why``, that none of it is taken over."""
        before, after = _entry(self._stored_tree, section, name), _entry(self._wanted_tree, section, name)
        if before is None:
            shown = {key: value for key, value in (after or {}).items() if key != "criteria"}
            self._note(f"{section}.{name}", "refused" if why else "new", None, shown, why or note)
        else:
            self._compare(f"{section}.{name}", before, after, why=why, note=note)

    def _compare(self, path: str, before: object, after: object, *, why: str = "", note: str = "") -> None:
        effect: Effect = "refused" if why else "changed"
        self._amendments += [
            Amendment(path=place, effect=effect, before=old, after=new, note=why or note)
            for place, old, new in field_changes(path, before, after)
        ]

    def _note(self, path: str, effect: Effect, before: object, after: object, note: str = "") -> None:
        texts = [None if each is None else in_one_line(each) for each in (before, after)]
        self._amendments.append(Amendment(path=path, effect=effect, before=texts[0], after=texts[1], note=note))


def _entry(tree: Mapping[str, object], section: str, name: str) -> Mapping[str, object] | None:
    entries = msgspec.convert(tree.get(section, {}), dict[str, dict[str, object]])
    return entries.get(name)


def _asked(criteria: Criteria) -> Criteria:
    """Without the words about what is left out: they change when the program does."""
    return msgspec.structs.replace(criteria, left_out=dict.fromkeys(criteria.left_out, ""))


def _open(intents: Mapping[str, Intent], tasks: Mapping[str, TaskState]) -> dict[str, Intent]:
    """Those that somebody could start."""
    return {name: each for name, each in intents.items() if each.task in tasks and not is_spent(tasks[each.task], each)}


def _is_of(rollout: Rollout, intent: Intent) -> bool:
    return (rollout.task, rollout.candidate) == (intent.task, intent.candidate)
