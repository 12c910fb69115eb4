"""May this rollout start? Its candidate is tried first, unless somebody takes it upon themselves that it is not."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from changeover.api.desk import Desk
from changeover.api.errors import ApiError, invalid
from changeover.api.problem import Problem
from changeover.ports.probing import Tell
from changeover.rollout.preflight import Preflight, PreflightRefusal, judged
from changeover.rollout.world import Proposal, World
from changeover.wire.probe import OPERATIONS, Probe
from changeover.wire.surface import Surface

SAMPLES_MAX: Final = 200
CONFLICT: Final = 409


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request of the caller's own to try the candidate with, as it stands. Its ``model`` plays no part."""

    surface: Surface
    body: dict[str, object]


Samples = Annotated[tuple[Sample, ...], msgspec.Meta(max_length=SAMPLES_MAX)]


async def preflighted(  # noqa: PLR0913 - what was asked for, and whom to ask
    desk: Desk,
    *,
    task: str,
    members: Sequence[str],
    samples: Sequence[Sample],
    skip: bool,
    reason: str,
    decide: Callable[[World], Proposal],
    tell: Tell,
) -> Preflight | None:
    """What the start may rest on; ``None`` on a server without the means. ``decide`` is asked first: what would be refused
    anyway costs no request.

    Raises:
        ApiError: the candidate refuses what the task is asked, or could not be tried; a check skipped without a reason.
    """
    _check(samples, skip=skip, reason=reason)
    await desk.office.read(lambda store: decide(store.world()))
    if skip:
        return Preflight(skipped=True)
    if desk.preflight is None:
        return None
    own = tuple(Probe(surface=sample.surface, body={k: v for k, v in sample.body.items() if k != "model"}) for sample in samples)
    findings = await desk.preflight.check(task, members, samples=own, tell=tell)
    try:
        return judged(task, members[0], findings)
    except PreflightRefusal as refusal:
        raise _refused(refusal) from refusal


def _check(samples: Sequence[Sample], *, skip: bool, reason: str) -> None:
    if skip and not reason.strip():
        raise invalid("found a preflight to be skipped without a reason", hint="say why: --skip-preflight --reason WHY")
    if skip and samples:
        raise invalid("found requests to try, and a preflight to be skipped", hint="leave out one of the two")
    for number, sample in enumerate(samples, 1):
        if sample.surface not in OPERATIONS:
            known = ", ".join(OPERATIONS)
            raise invalid(f"requests[{number - 1}]: found the surface {sample.surface}, expected one of {known}", hint="leave it out")


def _refused(refusal: PreflightRefusal) -> ApiError:
    problem = Problem(code=refusal.verdict, message=refusal.message, hint=refusal.hint, details=refusal.details, paste=refusal.paste)
    return ApiError(CONFLICT, problem)
