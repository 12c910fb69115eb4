"""Scores from anyone entitled: one, a list, or one a line. Taken once; every fault is named by its place."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from changeover.api.answers import ScoresAnswer
from changeover.api.bodies import JSON, NDJSON, decode, read_body
from changeover.api.declared_now import declared_from
from changeover.api.desk import Desk, desk_of
from changeover.api.errors import ApiError, answer, bad_request, invalid
from changeover.api.problem import Problem
from changeover.api.unread_scores import joined_names, rollout_names, unread_of, warnings_about
from changeover.evidence.score import Score
from changeover.settings.declared import Fault

SCORES_MAX: Final = 1000
NAME_CHARACTERS_MAX: Final = 200
COMMENT_CHARACTERS_MAX: Final = 10_000


class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A score as it is sent; when it came is ours to say. JSON has no infinity and no NaN, so ``value`` is finite."""

    request_id: str
    name: str
    value: float
    scorer: str = "client"
    comment: str | None = None


async def post_scores(request: Request) -> Response:
    """Valid scores are stored even where others are not: sending all again is harmless, since the first value stays."""
    items = _items(*await read_body(request, accepted=(JSON, NDJSON)))
    if len(items) > SCORES_MAX:
        raise invalid(f"found {len(items)} scores, expected at most {SCORES_MAX}", hint="send them in several calls")
    desk = desk_of(request)
    scores, faults = _checked(items, received_at=desk.clock.now())
    new = await desk.office.read(lambda store: store.add_scores(scores)) if scores else 0
    if faults:
        raise _faulty(faults, taken=len(scores), new=new)
    unread, warnings = await _unread(desk, scores)
    return answer(ScoresAnswer(taken=len(scores), new=new, unread=unread, warnings=warnings))


async def _unread(desk: Desk, scores: Sequence[Score]) -> tuple[int, tuple[str, ...]]:
    """How many of ``scores`` no criterion reads, counted, and what to say of them. They are kept all the same."""
    identities = [score.request_id for score in scores]
    tasks, world = await desk.office.read(lambda store: (store.tasks_of(identities), store.world()))
    names = rollout_names(world)
    unread = unread_of(scores, tasks, names)
    if not unread:
        return 0, ()
    read = partial(declared_from, world, desk.declared)
    names = joined_names(names, await asyncio.to_thread(desk.unread.declared_names, read, desk.clock.now()))
    unread = unread_of(scores, tasks, names)
    desk.unread.note(unread)
    return len(unread), warnings_about(unread, names)


def _items(media: str, body: bytes) -> Sequence[bytes | msgspec.Raw]:
    if media == NDJSON:
        return [line for line in body.splitlines() if line.strip()]
    if body.lstrip()[:1] == b"[":
        return decode(body, list[msgspec.Raw])
    if not body.strip():
        raise bad_request("the body is empty", hint='send {"request_id": ..., "name": ..., "value": ...}')
    return [body]


def _checked(items: Sequence[bytes | msgspec.Raw], *, received_at: float) -> tuple[list[Score], list[Fault]]:
    scores: list[Score] = []
    faults: list[Fault] = []
    for index, item in enumerate(items):
        try:
            sent = msgspec.json.decode(item, type=_Sent)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            faults.append(Fault(path=f"[{index}]", found=str(error), expected="a score: request_id, name, value, scorer, comment"))
            continue
        found = _faults(sent, f"[{index}]")
        faults += found
        if not found:
            scores.append(Score(**msgspec.structs.asdict(sent), received_at=received_at))
    return scores, faults


def _faults(sent: _Sent, path: str) -> list[Fault]:
    faults: list[Fault] = []
    for field, text in (("request_id", sent.request_id), ("name", sent.name), ("scorer", sent.scorer)):
        if not 0 < len(text.strip()) <= NAME_CHARACTERS_MAX:
            found = f"{len(text)} characters" if text.strip() else "nothing"
            faults.append(Fault(path=f"{path}.{field}", found=found, expected=f"1 to {NAME_CHARACTERS_MAX} characters"))
    if sent.comment is not None and len(sent.comment) > COMMENT_CHARACTERS_MAX:
        found = f"{len(sent.comment)} characters"
        faults.append(Fault(path=f"{path}.comment", found=found, expected=f"at most {COMMENT_CHARACTERS_MAX}"))
    return faults


def _faulty(faults: Sequence[Fault], *, taken: int, new: int) -> ApiError:
    bad = len({fault.path.partition("]")[0] for fault in faults})
    rest = f"; the other {taken} were taken" if taken else ""
    problem = Problem(
        code="invalid",
        message=f"{bad} of {bad + taken} scores cannot be used{rest}",
        hint="correct those and send all again: a score is taken once",
        faults=tuple(faults),
    )
    return ApiError(422, problem, new=new)


ROUTES: Final = (Route("/api/v1/scores", post_scores, methods=["POST"]),)
