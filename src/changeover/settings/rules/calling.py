"""Do names say what is behind them? A deployment's name and its version."""

from collections.abc import Iterator
from typing import Final

from changeover.settings.rules.book import NAME_AGAINST_VERSION, NAME_OFF_POLICY, NAME_WITHOUT_VERSION
from changeover.settings.rules.facts import Case
from changeover.settings.rules.finding import Noted
from changeover.versions import Deployment
from changeover.versions.naming import Misnaming, NamePolicy

_RULES: Final[dict[Misnaming, tuple[str, str]]] = {
    "version-missing": (NAME_WITHOUT_VERSION, "which does not say its version"),
    "version-other": (NAME_AGAINST_VERSION, "which says another version"),
    "off-policy": (NAME_OFF_POLICY, "which says its version in another way than the policy"),
}


def calling(case: Case) -> Iterator[Noted]:
    """In Azure a name is Azure's own; elsewhere it is the file's. Where the model's name says all, no version is asked for."""
    policy = NamePolicy(case.declared.policy.name)
    for deployment in case.declared.deployments.values():
        if not deployment.model.is_numbered:
            yield from _named(case, deployment, policy)


def _named(case: Case, deployment: Deployment, policy: NamePolicy) -> Iterator[Noted]:
    is_azure = case.is_azure(deployment)
    name = deployment.provider_name if is_azure else deployment.name
    wrong = policy.misnamed(name, deployment.model, deployment.environment)
    if wrong is None:
        return
    rule, words = _RULES[wrong.kind]
    renaming = "a deployment cannot be renamed, so name its successor that way" if is_azure else "call it that"
    yield Noted(
        rule=rule,
        path=("deployments", deployment.name),
        environment=deployment.environment,
        found=f"the name {name} for {deployment.model}, {words}",
        expected=f"{wrong.better}, by the pattern {policy.pattern}",
        remedy=renaming,
    )
