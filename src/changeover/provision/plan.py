"""What would be done in Azure, and what is refused? Values that people read and that an apply follows."""

from typing import Literal, assert_never

import msgspec

from changeover.provision.actual import AccountKey, ActualDeployment
from changeover.versions import ModelVersion
from changeover.versions.sku import capacity_words

Act = Literal["create", "replace", "pin", "update", "pause", "resume", "delete"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment has to be, in everything that is sent. ``content_filter`` ``None`` leaves it to the service, or as it
    is where the deployment is there already.
    """

    name: str
    model: ModelVersion
    format: str = "OpenAI"
    sku: str
    capacity: int
    upgrade: str
    content_filter: str | None = None


class FieldChange(msgspec.Struct, frozen=True, kw_only=True):
    """One field, as people read it; ``before`` is empty for what is new."""

    field: str
    before: str = ""
    after: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One write to one deployment. ``order`` is set for all but pause, resume and delete.

    ``replace`` makes a new deployment beside the one named in ``beside``, which stays as it is. ``note`` says what else it means.
    """

    act: Act
    account: AccountKey
    deployment: str
    order: Order | None = None
    beside: str = ""
    changes: tuple[FieldChange, ...] = ()
    note: str = ""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What is not done although it is asked for: what was found, and what to do."""

    account: str
    deployment: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.account}/{self.deployment}: {self.found}; {self.remedy}"


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """What differs and is left alone, with the reason."""

    account: str
    deployment: str
    text: str


class ProvisionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """``steps`` stand in the order in which they are done; those of one account are done one after another."""

    steps: tuple[Step, ...] = ()
    refused: tuple[Refused, ...] = ()
    remarks: tuple[Remark, ...] = ()


def changes_between(before: ActualDeployment | None, order: Order) -> tuple[FieldChange, ...]:
    """Every field that ``order`` makes another one."""
    wanted = _shown(order)
    if before is None:
        return tuple(FieldChange(field=name, after=value) for name, value in wanted.items() if value)
    found = _shown(before)
    return tuple(
        FieldChange(field=name, before=found[name], after=value) for name, value in wanted.items() if value and value != found[name]
    )


def outcome_of(step: Step, before: ActualDeployment | None) -> ActualDeployment | None:
    """What stands there once ``step`` is done; ``None``: nothing."""
    match step.act:
        case "delete":
            return None
        case "pause" | "resume":
            assert before is not None, "only what is there is paused"
            return msgspec.structs.replace(before, paused=step.act == "pause")
        case "create" | "replace" | "pin" | "update":
            assert step.order is not None, "a write says what it writes"
            order = step.order
            kept = None if before is None else before.content_filter
            return ActualDeployment(
                name=step.deployment,
                model=order.model,
                format=order.format,
                sku=order.sku,
                capacity=order.capacity,
                upgrade=order.upgrade,
                content_filter=order.content_filter or kept,
                paused=before is not None and before.paused,
            )
        case _:
            assert_never(step.act)


def _shown(entry: Order | ActualDeployment) -> dict[str, str]:
    return {
        "model": str(entry.model),
        "sku": entry.sku,
        "capacity": capacity_words(entry.sku, entry.capacity),
        "upgrade": entry.upgrade or "not said",
        "content filter": entry.content_filter or "",
    }
