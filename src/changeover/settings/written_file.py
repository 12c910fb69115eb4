"""How would a file say what is in force? Values in; the tree and the text of a changeover.yaml out, with no secret in it.

Every number is written, none is left to a preset: the file means the same under a later version's defaults.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import yaml

from changeover.gates.criteria import (
    CostCriterion,
    Criteria,
    ErrorsCriterion,
    EvidenceRules,
    LatencyCriterion,
    QualityCriterion,
    SafetyCriterion,
    ScoreSource,
)
from changeover.settings.checks import check_entry
from changeover.settings.declared import Declared, DeclaredRollout, DeclaredTask
from changeover.settings.durations import duration_text
from changeover.settings.entra import cloud_named
from changeover.settings.resolve import usual_secret
from changeover.settings.written_alerts import alert_entry, policy_entry
from changeover.settings.written_rollout import plan_entry
from changeover.versions import PINNED, Account, Deployment, RequestSettings, SecretReference

Entry = dict[str, object]
"""One named thing of the file, as plain values."""
Section = dict[str, Entry]

WIDTH: Final = 120
HEADER: Final = """\
# changeover.yaml as it is in force. Comments of the file that it came from are lost, and what its presets meant is written
# out. Keys are never written here, only where they are found.
"""
_PERCENT: Final = 100


def file_tree(declared: Declared) -> dict[str, object]:
    """The file as plain values, in its own words and its usual order."""
    tree: dict[str, object] = {
        "version": 1,
        "accounts": {name: account_entry(each) for name, each in declared.accounts.items()},
        "deployments": {name: deployment_entry(each) for name, each in declared.deployments.items()},
        "gateway": {"unrouted": unrouted_value(declared.unrouted_account)},
        "tasks": {name: task_entry(each) for name, each in declared.tasks.items()},
        "evidence": evidence_entry(declared.evidence),
        "rollouts": {name: rollout_entry(each) for name, each in declared.rollouts.items()},
    }
    return {name: section for name, section in tree.items() if section}


def file_text(declared: Declared) -> str:
    """The file as text. It reads back as ``declared``, unless a value in it is of a kind that no file may hold."""
    people: dict[str, object] = {"alerts": list(map(alert_entry, declared.alerts)), "policy": policy_entry(declared.policy)}
    people["check"] = check_entry(declared.check)
    tree = file_tree(declared) | {name: section for name, section in people.items() if section}
    body = yaml.safe_dump(msgspec.to_builtins(tree), sort_keys=False, allow_unicode=True, width=WIDTH)
    return HEADER + str(body)


def account_entry(account: Account) -> Entry:
    entry: Entry = {"kind": account.kind, "endpoint": account.endpoint}
    if account.auth != usual_secret(account.kind, account.endpoint):
        entry["auth"] = _auth(account.auth)
    place = {"api": account.api, "subscription": account.subscription, "resource_group": account.resource_group}
    return entry | {name: value for name, value in place.items() if value}


def deployment_entry(deployment: Deployment) -> Entry:
    entry: Entry = {
        "account": deployment.account,
        "model": deployment.model.name,
        "version": deployment.model.version,
        "environment": deployment.environment,
        "sku": deployment.sku,
        "region": deployment.region,
        "content_filter": deployment.content_filter,
        "called": deployment.called or None,
        "capacity": deployment.capacity,
        "upgrade": None if deployment.upgrade == PINNED else deployment.upgrade,
        "observed": deployment.observed or None,
        "request": deployment.request and _request(deployment.request),
    }
    return _said(entry)


def task_entry(task: DeclaredTask) -> Entry:
    """Those who stand in are written without the stable itself, which a promotion may have made of one of them."""
    trusted = task.stable_pool or (task.stable,)
    entry: Entry = {
        "stable": side(task.stable, task.stable_pool),
        "failover": [name for name in task.failover if name not in trusted] or None,
        "sticky_by": list(task.sticky_by) or None,
        "slice_by": list(task.slice_by) or None,
        "criteria": criteria_entry(task.criteria),
    }
    return _said(entry)


def side(name: str, pool: tuple[str, ...]) -> str | list[str]:
    """One deployment, or a pool of several."""
    return list(pool) if pool else name


def unrouted_value(account: str | None) -> str | Entry:
    return "refuse" if account is None else {"account": account}


def rollout_entry(rollout: DeclaredRollout) -> Entry:
    return {
        "task": rollout.task,
        "candidate": side(rollout.candidate, rollout.candidate_pool),
        **plan_entry(rollout.plan),
    }


def evidence_entry(rules: EvidenceRules) -> Entry:
    return {
        "block": duration_text(rules.block_s),
        "min_blocks": rules.blocks_min,
        "score_timeout": {
            "client": duration_text(rules.score_timeout_s),
            "judge": duration_text(rules.judge_timeout_s),
            "human": duration_text(rules.human_timeout_s),
        },
        "n_star": rules.n_star,
        "n_star_users": rules.n_star_users,
    }


def criteria_entry(criteria: Criteria) -> Entry:
    """Under ``preset: none`` what is asked, and no more. What is left out for want of a source only a preset can ask for."""
    wanted = criteria.left_out
    entry: Entry = {
        "preset": "standard" if wanted else "none",
        "quality": criteria.quality and _quality(criteria.quality),
        "accuracy": {"source": "none"} if wanted and "accuracy" not in wanted else None,
        "latency": criteria.latency and _latency(criteria.latency),
        "cost": criteria.cost and _cost(criteria.cost),
        "safety": criteria.safety and _safety(criteria.safety),
        "errors": criteria.errors and _errors(criteria.errors),
        "min_samples": criteria.min_samples or None,
    }
    return _said(entry)


def _said(entry: Mapping[str, object]) -> Entry:
    return {name: value for name, value in entry.items() if value is not None}


def _auth(secret: SecretReference) -> Entry:
    if secret.source != "entra" or secret.entra is None:
        return {secret.source: secret.name}
    identity = secret.entra
    cloud = cloud_named(identity.authority)
    return _said({"entra": identity.method, "client_id": identity.client_id or None, "cloud": cloud, "scope": identity.scope})


def _request(settings: RequestSettings) -> Entry:
    prompt = {"text": settings.system_prompt, "mode": settings.system_prompt_mode}
    return _said(
        {
            "rename": settings.rename or None,
            "drop": list(settings.drop) or None,
            "set": settings.set or None,
            "system_prompt": None if settings.system_prompt is None else prompt,
        }
    )


def _quality(criterion: QualityCriterion) -> Entry:
    scale = [_short(criterion.scale_low), _short(criterion.scale_high)]
    source = _source(criterion.score, criterion.source)
    return {"source": source, "scale": scale, "margin": _short(criterion.margin), "trip": criterion.trip.value}


def _latency(criterion: LatencyCriterion) -> Entry:
    return _said(
        {
            "quantiles": [_quantile(each) for each in criterion.quantiles],
            "max_ratio": _short(criterion.max_ratio),
            "guard_only": [_quantile(each) for each in criterion.guard_only] or None,
            "trip": criterion.trip.value,
        }
    )


def _cost(criterion: CostCriterion) -> Entry:
    tokens = _said({"input": criterion.input_ratio, "output": criterion.output_ratio})
    return {"max_ratio": _short(criterion.max_ratio), "tokens": tokens, "trip": criterion.trip.value}


def _safety(criterion: SafetyCriterion) -> Entry:
    harmful = None if criterion.harmful is None else {"source": _source(criterion.harmful, criterion.harmful_source)}
    rates = {"max_ratio": _short(criterion.max_ratio), "margin_pp": _short(criterion.margin_points)}
    return _said({"filter": rates, "harmful": harmful, "trip": criterion.trip.value})


def _errors(criterion: ErrorsCriterion) -> Entry:
    return {"max_ratio": _short(criterion.max_ratio), "margin_pp": _short(criterion.margin_points), "trip": criterion.trip.value}


def _source(score: str | None, given_by: ScoreSource) -> str:
    return f"{'human' if given_by is ScoreSource.HUMAN else 'scores'}/{score}"


def _quantile(share: float) -> str:
    return f"p{share * _PERCENT:g}"


def _short(number: float) -> float | int:
    """A whole number without its point."""
    return int(number) if float(number).is_integer() else number
