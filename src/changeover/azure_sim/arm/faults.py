"""Which calls to Resource Manager are to go wrong? Faults that were planted, in their order, each for so many calls."""

import msgspec

from changeover.azure_sim.arm.arm_request import ArmRequest
from changeover.azure_sim.arm.replies import RETRY_AFTER_S, ArmError, ArmReply, Json


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fault, as ``PUT /sim/faults`` says it.

    - ``method`` and ``path`` (a part of it, without regard to case) say which calls; left out, all.
    - ``after``: so many of these calls go well first. ``calls``: then so many go wrong.
    - ``status``: the answer; with ``code``, ``message`` and ``retry_after`` where they are given.
    - ``performed``: the call is carried out all the same, only its answer is lost.
    - ``hang``: nothing is answered.
    - ``operation``: the write is accepted, and its operation ends Failed with ``code`` and ``message``.
    """

    method: str | None = None
    path: str = ""
    after: int = 0
    calls: int = 1
    status: int = 500
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    performed: bool = False
    hang: bool = False
    operation: bool = False

    def concerns(self, request: ArmRequest) -> bool:
        return self.method in (None, request.method) and self.path.lower() in request.path.lower()

    def error(self) -> Json:
        code, message = _WORDS.get(self.status, ("Fault", "A planted fault."))
        return {"code": self.code or code, "message": self.message or message}

    def reply(self) -> ArmReply:
        said = self.error()
        retry_after = self.retry_after if self.retry_after is not None else (RETRY_AFTER_S if self.status in _WORDS else None)
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        return ArmError(self.status, said["code"], said["message"], headers=headers).reply()


_WORDS = {
    409: ("RequestConflict", "Another operation is being performed on the parent resource. Please try again later."),
    429: ("TooManyRequests", "The request is being throttled as the limit has been reached for operation type. Please try again later."),
    500: ("InternalServerError", "An internal error has occurred."),
    503: ("ServiceUnavailable", "The service is unavailable. Please try again later."),
}


class FaultPlan:
    """Faults still to come. Each matching call uses up the first fault that concerns it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def next(self, request: ArmRequest, *, operation: bool) -> Fault | None:
        """The fault for this call. ``operation``: of those that let an accepted write fail later, else of the others."""
        for fault in self.faults:
            if fault.operation is operation and fault.concerns(request):
                return self._used(fault)
        return None

    def _used(self, fault: Fault) -> Fault | None:
        if fault.after > 0:
            fault.after -= 1
            return None
        fault.calls -= 1
        if fault.calls <= 0:
            self.faults.remove(fault)
        return fault
