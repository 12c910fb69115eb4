"""What does the file mean? Names resolved, defaults and presets filled in, plans checked; every fault, not the first."""

from typing import Final

import msgspec

from changeover.gates.criteria import EvidenceRules
from changeover.rollout.plan import AnalysisStep, Plan, WeightStep
from changeover.rollout.plan_rules import step_faults
from changeover.rollout.sides import confounders, members
from changeover.settings import presets
from changeover.settings.alerting import resolve_alerts, resolve_policy
from changeover.settings.azure_keys import azure_key_faults
from changeover.settings.checks import resolve_check
from changeover.settings.declared import Declared, DeclaredRollout, DeclaredTask, Fault
from changeover.settings.dialects import address_faults, dialect_faults
from changeover.settings.durations import seconds
from changeover.settings.entra import entra_identity
from changeover.settings.paths import Path, written
from changeover.settings.requests import PromptFiles, resolve_request
from changeover.settings.rollout_plans import plan_of
from changeover.settings.shape import FileShape
from changeover.settings.shape_accounts import AccountShape, AuthShape
from changeover.settings.shape_deployments import DeploymentShape
from changeover.settings.shape_evidence import NO_TIMEOUTS, EvidenceShape
from changeover.settings.shape_rollouts import RolloutShape
from changeover.settings.shape_tasks import TaskShape
from changeover.versions import Account, Deployment, ModelVersion, RequestSettings, SecretReference

ENDPOINTS: Final = {"openai": "https://api.openai.com", "anthropic": "https://api.anthropic.com"}
"""Where a provider is called when the file does not say."""
KEY_VARIABLES: Final = {"azure-openai": "AZURE_OPENAI_API_KEY", "openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""Where the key is looked for when the file does not say."""

PROBABLE_PERMILLE_MIN: Final = 50
PROBABLE_PERMILLE_MAX: Final = 950
"""Comparisons use assignment probabilities from 0.05 to 0.95."""


class Resolver:
    """Turns a well-shaped file into what it declares. ``broken`` holds sections and entries that were not well-shaped
    and are missing from it: what depends on them is not judged. ``files`` are the prompts that it names.
    """

    def __init__(self, file: FileShape, broken: set[Path], files: PromptFiles) -> None:
        self._file = file
        self._broken = broken
        self._files = files
        self.faults: list[tuple[Path, Fault]] = []
        self._warnings: list[str] = []

    def declared(self) -> Declared:
        """Everything the file says; only to be used when ``faults`` is empty."""
        file = self._file
        evidence = _evidence(file.evidence)
        tasks = {name: self._task(name, task) for name, task in file.tasks.items()}
        rollouts = {
            name: self._rollout(name, rollout, tasks[rollout.task], evidence)
            for name, rollout in (file.rollouts or {}).items()
            if rollout.task in tasks
        }
        self._refuse_twins(rollouts)
        deployments = {name: self._deployment(name, deployment) for name, deployment in file.deployments.items()}
        self._refuse_mixed_pools(deployments)
        self._warn_confounded(rollouts, tasks, deployments)
        accounts = {name: self._account(name, account) for name, account in file.accounts.items()}
        self.faults += dialect_faults(file, deployments, accounts)
        alerts, alert_faults = resolve_alerts(file.alerts or ())
        self.faults += alert_faults
        return Declared(
            accounts=accounts,
            deployments=deployments,
            tasks=tasks,
            rollouts=rollouts,
            evidence=evidence,
            warnings=tuple(self._warnings),
            unrouted_account=file.gateway.unrouted if file.gateway else None,
            alerts=alerts,
            policy=resolve_policy(file.policy),
            check=resolve_check(file.check),
        )

    def _account(self, name: str, shape: AccountShape) -> Account:
        endpoint = shape.endpoint or ENDPOINTS.get(shape.kind, "")
        if not endpoint:
            self._fault(
                ("accounts", name, "endpoint"), "nothing", "the provider's address, such as https://NAME.openai.azure.com; write it"
            )
        if shape.api and shape.kind != "azure-openai":
            expected = "no api: only azure-openai has more than one; take it out"
            self._fault(("accounts", name, "api"), f"an account of kind {shape.kind}", expected)
        if shape.auth and shape.auth.entra and (shape.kind == "openai" or endpoint == ENDPOINTS.get(shape.kind)):
            self._fault(("accounts", name, "auth", "entra"), f"an account of kind {shape.kind}", "a key, {env: NAME} or {file: PATH}")
        auth = _secret(shape.kind, shape.auth, endpoint)
        account = Account(
            name=name,
            kind=shape.kind,
            endpoint=endpoint,
            auth=auth,
            api=shape.api or "",
            subscription=shape.subscription or "",
            resource_group=shape.resource_group or "",
        )
        self.faults += azure_key_faults(name, shape)
        self.faults += address_faults(account)
        return account

    def _deployment(self, name: str, shape: DeploymentShape) -> Deployment:
        account = shape.account or next(iter(self._file.accounts), "")
        return Deployment(
            name=name,
            account=account,
            model=ModelVersion(name=shape.model, version=shape.version),
            environment=shape.environment,
            request=self._request(name, shape),
            sku=shape.sku,
            region=shape.region,
            content_filter=shape.content_filter,
            called=shape.called or "",
            capacity=shape.capacity,
            upgrade=shape.upgrade,
            observed=shape.observed,
        )

    def _request(self, name: str, shape: DeploymentShape) -> RequestSettings | None:
        if shape.request is None:
            return None
        settings, faults = resolve_request(shape.request, ("deployments", name, "request"), self._files)
        self.faults += faults
        return settings

    def _refuse_mixed_pools(self, deployments: dict[str, Deployment]) -> None:
        """A pool stands for one thing: one model version under the same request settings."""
        pools: list[tuple[Path, tuple[str, ...]]] = [(("tasks", name, "stable"), task.stable) for name, task in self._file.tasks.items()]
        pools += [(("rollouts", name, "candidate"), rollout.candidate) for name, rollout in (self._file.rollouts or {}).items()]
        for path, pool in pools:
            members = [deployments[name] for name in pool if name in deployments]
            for member in members[1:]:
                if member.model != members[0].model:
                    found = f"{members[0].name} ({members[0].model}) and {member.name} ({member.model})"
                    self._fault((*path, pool.index(member.name)), found, "a pool of one model version")
                elif member.request != members[0].request:
                    found = f"{members[0].name} and {member.name}, which differ in their request settings"
                    self._fault((*path, pool.index(member.name)), found, "a pool whose members have the same request settings")

    def _task(self, name: str, shape: TaskShape) -> DeclaredTask:
        criteria, faults = presets.resolve(presets.Layers(everywhere=self._file.criteria, here=shape.criteria), name)
        if ("criteria",) not in self._broken:
            self.faults += faults
        for criterion, reason in criteria.left_out.items():
            self._warnings.append(f"{written(('tasks', name))}: {criterion} is left out ({reason}); {presets.WAYS_OUT[criterion]}")
        sticky_by = tuple(dict.fromkeys(shape.sticky_by or ()))
        return DeclaredTask(
            name=name,
            stable=shape.stable[0],
            sticky_by=sticky_by,
            failover=tuple(shape.failover or ()),
            stable_pool=_pool(shape.stable),
            slice_by=tuple(dict.fromkeys(shape.slice_by or ())),
            criteria=criteria,
        )

    def _rollout(self, name: str, shape: RolloutShape, task: DeclaredTask, evidence: EvidenceRules) -> DeclaredRollout:
        plan = plan_of(shape, criteria=task.criteria, evidence=evidence)
        path: Path = ("rollouts", name, "steps")
        if ("criteria",) not in self._broken:
            for fault in step_faults(plan):
                self._fault(path if fault.step is None else (*path, fault.step), fault.found, fault.expected)
        if ("evidence",) not in self._broken:
            self._refuse_unreachable(plan, path)
        self._warn_improbable(plan, path)
        return DeclaredRollout(name=name, task=shape.task, candidate=shape.candidate[0], candidate_pool=_pool(shape.candidate), plan=plan)

    def _refuse_unreachable(self, plan: Plan, path: Path) -> None:
        """A deadline before the dwell can be over always pauses."""
        blocks_s = plan.evidence.blocks_min * plan.evidence.block_s
        for index, step in enumerate(plan.steps):
            if not isinstance(step, AnalysisStep) or step.duration_max_s is None:
                continue
            dwell_s = max(step.duration_min_s, blocks_s)
            if step.duration_max_s <= dwell_s:
                blocks = f"{plan.evidence.blocks_min} blocks of {plan.evidence.block_s:g} s"
                expected = f"more than {dwell_s:g} s, the longer of min_duration and {blocks}"
                self._fault((*path, index, "analysis", "max_duration"), f"{step.duration_max_s:g} s", expected)

    def _warn_improbable(self, plan: Plan, path: Path) -> None:
        for index, step in enumerate(plan.steps[:-1]):
            if isinstance(step, WeightStep) and not PROBABLE_PERMILLE_MIN <= step.permille <= PROBABLE_PERMILLE_MAX:
                where = written((*path, index, "weight"))
                self._warnings.append(f"{where}: {step.permille / 10:g} % serves traffic but proves little; comparisons use 5 % to 95 %")

    def _warn_confounded(
        self, rollouts: dict[str, DeclaredRollout], tasks: dict[str, DeclaredTask], deployments: dict[str, Deployment]
    ) -> None:
        for name, rollout in rollouts.items():
            task = tasks[rollout.task]
            stable = members(deployments, task.stable, task.stable_pool)
            candidate = members(deployments, rollout.candidate, rollout.candidate_pool)
            if stable and candidate:
                self._warnings += [f"{written(('rollouts', name))}: {each}" for each in confounders(stable, candidate)]

    def _refuse_twins(self, rollouts: dict[str, DeclaredRollout]) -> None:
        first: dict[tuple[str, str], str] = {}
        for name, rollout in rollouts.items():
            twin = first.setdefault((rollout.task, rollout.candidate), name)
            if twin != name:
                self._fault(
                    ("rollouts", name),
                    f"a second rollout for the pair of {written((twin,))}",
                    "one rollout for a task and candidate; take one out",
                )

    def _fault(self, path: Path, found: str, expected: str) -> None:
        self.faults.append((path, Fault(path=written(path), found=found, expected=expected)))


def _pool(names: tuple[str, ...]) -> tuple[str, ...]:
    """One deployment is no pool."""
    return names if len(names) > 1 else ()


def _secret(kind: str, auth: AuthShape | None, endpoint: str) -> SecretReference:
    if auth is not None and auth.file is not None:
        return SecretReference(source="file", name=auth.file)
    if auth is not None and auth.env is not None:
        return SecretReference(source="env", name=auth.env)
    if auth is not None and auth.entra is not None:
        identity = entra_identity(method=auth.entra, endpoint=endpoint, client_id=auth.client_id, cloud=auth.cloud, scope=auth.scope)
        return SecretReference(source="entra", entra=identity)
    return usual_secret(kind, endpoint)


def usual_secret(kind: str, endpoint: str) -> SecretReference:
    """Where the secret of an account is found whose ``auth`` is not written."""
    variable = KEY_VARIABLES.get(kind)
    if variable is None:
        return SecretReference(source="none")
    keyless = entra_identity(method="default", endpoint=endpoint) if kind == "azure-openai" else None
    return SecretReference(source="env", name=variable, entra=keyless)


def _evidence(shape: EvidenceShape | None) -> EvidenceRules:
    rules = EvidenceRules()
    if shape is None:
        return rules
    waits = shape.score_timeout or NO_TIMEOUTS
    return msgspec.structs.replace(
        rules,
        block_s=seconds(shape.block) if shape.block else rules.block_s,
        blocks_min=shape.min_blocks or rules.blocks_min,
        score_timeout_s=seconds(waits.client) if waits.client else rules.score_timeout_s,
        judge_timeout_s=seconds(waits.judge) if waits.judge else rules.judge_timeout_s,
        human_timeout_s=seconds(waits.human) if waits.human else rules.human_timeout_s,
        n_star=shape.n_star or rules.n_star,
        n_star_users=shape.n_star_users or rules.n_star_users,
    )
