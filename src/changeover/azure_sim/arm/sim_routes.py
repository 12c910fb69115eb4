"""What may be told to the stage, and asked of it? Clock, dates, quota, faults, behaviour, and what happened; all below ``/sim/``."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from changeover.azure_sim.arm import deployment_body, quota
from changeover.azure_sim.arm.calendar import Calendar
from changeover.azure_sim.arm.catalogue import DefaultChange, RetirementChange
from changeover.azure_sim.arm.declaration import DeclaredDate, DeclaredQuota
from changeover.azure_sim.arm.estate import Account, Conduct, Deployment, Estate
from changeover.azure_sim.arm.faults import Fault, FaultPlan
from changeover.azure_sim.arm.moments import moment, written
from changeover.azure_sim.arm.planes import Planes, Profile
from changeover.azure_sim.arm.replies import ArmReply, Json
from changeover.azure_sim.arm.settling import is_retired, next_move
from changeover.azure_sim.arm.sim_clock import SimClock

Told = TypeVar("Told")
CONTROLS: Final = ("state", "clock", "defaults", "retirements", "quota", "faults", "conduct", "profiles", "requests", "log")


class ClockWord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``now`` sets the clock, ``advance_s`` and ``advance_days`` move it on."""

    now: str | None = None
    advance_s: float = 0.0
    advance_days: float = 0.0


class ProfileWord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one version behaves from now on."""

    model: str
    version: str
    profile: Profile


class SimRoutes:
    def __init__(
        self, estate: Estate, calendar: Calendar, *, clock: SimClock, planes: Planes, faults: FaultPlan, requests: Callable[[], list[Json]]
    ) -> None:
        self._estate = estate
        self._calendar = calendar
        self._clock = clock
        self._planes = planes
        self._faults = faults
        self._requests = requests

    def answer(self, method: str, what: str, body: bytes) -> ArmReply:
        """A word that cannot be understood is answered with what was found."""
        if what not in CONTROLS:
            return _no(404, f"found /sim/{what}; expected one of {', '.join(CONTROLS)}")
        if method not in ("GET", "PUT"):
            return _no(405, f"found {method}; expected GET or PUT")
        try:
            if method == "PUT":
                self._tell(what, body)
        except (msgspec.DecodeError, ValueError) as error:
            return _no(400, f"found {error}; see the reference page of azure-sim for /sim/{what}")
        return ArmReply(body=self._shown(what))

    def _tell(self, what: str, body: bytes) -> None:
        match what:
            case "clock":
                self._move(_read(body, ClockWord))
            case "conduct":
                self._change_conduct(body)
            case "faults":
                self._faults.faults = _read(body, list[Fault])
            case "quota":
                for each in _read(body, list[DeclaredQuota]):
                    usage = quota.usage_name(each.sku, each.model)
                    self._estate.limits[quota.limit_key(each.subscription, region=each.region, usage=usage)] = each.limit
            case "defaults":
                changes = [
                    DefaultChange(name=each.model, version=each.version, at=moment(each.at), region=each.region)
                    for each in _read(body, list[DeclaredDate])
                ]
                self._estate.defaults.extend(changes)
            case "retirements":
                self._estate.retirements.extend([
                    RetirementChange(name=each.model, version=each.version, at=moment(each.at), region=each.region, sku=each.sku)
                    for each in _read(body, list[DeclaredDate])
                ])  # fmt: skip
            case "profiles":
                for word in _read(body, list[ProfileWord]):
                    self._planes.profiles[f"{word.model}@{word.version}"] = word.profile
            case _:
                raise ValueError(f"PUT /sim/{what}, which can only be read")

    def _move(self, word: ClockWord) -> None:
        if word.now is not None:
            self._clock.set(moment(word.now))
        self._clock.advance(word.advance_s + word.advance_days * 86_400.0)
        self._estate.moved_s = self._clock.moved_s

    def _change_conduct(self, body: bytes) -> None:
        """What is not named stays as it is."""
        told = _read(body, dict[str, Any])
        merged = msgspec.convert({**msgspec.to_builtins(self._estate.conduct), **told}, Conduct)
        self._estate.conduct = merged

    def _shown(self, what: str) -> Any:
        estate = self._estate
        match what:
            case "clock":
                return {"now": written(self._clock.now()), "moved_s": self._clock.moved_s}
            case "conduct":
                return msgspec.to_builtins(estate.conduct)
            case "faults":
                return msgspec.to_builtins(self._faults.faults)
            case "quota":
                return estate.limits
            case "defaults":
                return msgspec.to_builtins(estate.defaults)
            case "retirements":
                return msgspec.to_builtins(estate.retirements)
            case "profiles":
                return msgspec.to_builtins(self._planes.profiles)
            case "requests":
                return self._requests()
            case "log":
                return estate.log
            case _:
                return self.state()

    def state(self) -> Json:
        """All accounts and deployments, with what the provider will do to them next."""
        now = self._clock.now()
        return {
            "now": written(now),
            "accounts": [
                {
                    "id": account.id,
                    "location": account.location,
                    "deployments": [self._deployment(each, account, now) for each in account.deployments.values()],
                }
                for account in self._estate.accounts.values()
            ],
            "faults": msgspec.to_builtins(self._faults.faults),
            "log": self._estate.log[-20:],
        }

    def _deployment(self, deployment: Deployment, account: Account, now: float) -> Json:
        move = next_move(deployment, account=account, calendar=self._calendar, upgrade_days=self._estate.conduct.upgrade_days)
        row = self._calendar.find(deployment.model, deployment.version)
        return {
            "name": deployment.name,
            "model": deployment.model,
            "version": deployment.version,
            "sku": deployment.sku,
            "capacity": deployment.capacity,
            "upgrade": deployment.upgrade_option,
            "state": deployment_body.provisioning_state(deployment, now=now),
            "paused": deployment.paused,
            "retired": is_retired(deployment, region=account.location, calendar=self._calendar, now=now),
            "retires": written(self._calendar.retires_at(row, region=account.location, sku=deployment.sku)) if row else None,
            "next_move": None if move is None else {"at": written(move.at), "model": move.model, "version": move.version},
        }


def _read(body: bytes, kind: type[Told]) -> Told:
    return msgspec.json.decode(body, type=kind)


def _no(status: int, message: str) -> ArmReply:
    return ArmReply(status=status, body={"error": {"code": "SimControl", "message": message}})
