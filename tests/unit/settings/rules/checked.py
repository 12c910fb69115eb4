"""Files for tests of rules, and what is found in them."""

from changeover.settings.file import parse
from changeover.settings.rules.checking import check_declared
from changeover.settings.rules.facts import Facts
from changeover.settings.rules.finding import Report
from changeover.versions.dates import first_moment
from changeover.versions.retirements import ListedVersion, RetirementList

TODAY = first_moment("2026-11-20") or 0.0
LISTED = RetirementList(
    provider="azure-openai",
    as_of="2026-10-05",
    source="a page",
    rows=(
        ListedVersion(model="gpt-4o", version="2024-05-13", status="Deprecated", retires="2026-12-09"),
        ListedVersion(model="gpt-4o", version="2024-11-20", status="Legacy", retires="2027-04-14"),
        ListedVersion(model="gpt-5.1", version="2025-11-13", status="GA", retires="2029-05-15"),
        ListedVersion(model="o1", version="2024-12-17", status="Deprecated", retires="2026-11-19"),
        ListedVersion(model="gpt-realtime-2", version="2026-05-06", status="Preview"),
    ),
)
FACTS = Facts(listed=LISTED)
SOUND = """\
version: 1
accounts: {aoai: {kind: azure-openai, endpoint: https://aoai.openai.azure.com}}
deployments:
  gpt51-prod-v1113: {model: gpt-5.1, version: "2025-11-13", sku: Standard, capacity: 50}
  gpt4o-prod-v1120: {model: gpt-4o, version: "2024-11-20", sku: Standard, capacity: 50}
tasks:
  email: {stable: gpt51-prod-v1113, failover: [gpt4o-prod-v1120]}
criteria: {preset: none, errors: {}}
"""


def report_of(text: str, facts: Facts = FACTS, *, now: float = TODAY) -> Report:
    return check_declared(parse(text), facts, now=now)


def found_in(text: str, facts: Facts = FACTS, *, now: float = TODAY) -> list[tuple[str, str, str]]:
    """Rule, level and path of everything that is told of."""
    return [(each.rule, each.level, each.path) for each in report_of(text, facts, now=now).findings]


def with_deployment(text: str) -> str:
    return SOUND.replace("tasks:\n", f"  {text}\ntasks:\n")
