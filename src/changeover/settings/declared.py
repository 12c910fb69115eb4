"""What a team declared: the checked content of ``changeover.yaml``."""

import msgspec

from changeover.gates.criteria import Criteria, EvidenceRules
from changeover.rollout.plan import Plan
from changeover.settings.declared_alert import DeclaredAlert, DeclaredPolicy
from changeover.settings.declared_check import DeclaredCheck
from changeover.versions import Account, Deployment


class DeclaredTask(msgspec.Struct, frozen=True, kw_only=True):
    """One task of the file with its criteria, presets and overrides already resolved.

    A pool begins with the deployment whose name stands for it; it is empty where one deployment serves alone.
    """

    name: str
    stable: str
    sticky_by: tuple[str, ...] = ()
    failover: tuple[str, ...] = ()
    stable_pool: tuple[str, ...] = ()
    slice_by: tuple[str, ...] = ()
    criteria: Criteria


class DeclaredRollout(msgspec.Struct, frozen=True, kw_only=True):
    """One entry under ``rollouts``."""

    name: str
    task: str
    candidate: str
    candidate_pool: tuple[str, ...] = ()
    plan: Plan


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a file says, every name in it resolved. ``unrouted_account``: see ``RoutingTable``."""

    accounts: dict[str, Account]
    deployments: dict[str, Deployment]
    tasks: dict[str, DeclaredTask]
    rollouts: dict[str, DeclaredRollout]
    evidence: EvidenceRules
    warnings: tuple[str, ...] = ()
    unrouted_account: str | None = None
    alerts: tuple[DeclaredAlert, ...] = ()
    policy: DeclaredPolicy = DeclaredPolicy()
    check: DeclaredCheck = DeclaredCheck()


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of a file: where, what was found, what was expected, what to do."""

    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}; expected {self.expected}"


class SettingsError(Exception):
    """The file cannot be used; ``faults`` names every fault at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
