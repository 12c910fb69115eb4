"""How is an answer delivered? In its time, whole or in pieces, and where the deployment's standing says so: badly."""

import asyncio
from collections.abc import Callable
from typing import Final

from changeover.azure_sim import refusals
from changeover.azure_sim.answer import Answer, Frames, Vectors, data_event, encode
from changeover.azure_sim.http_call import Headers, HttpCall
from changeover.azure_sim.resource import Planned
from changeover.azure_sim.stage import Condition

_ERROR: Final = refusals.failing().error()


def error_event() -> bytes:
    """An error as chat and completions say it in the middle of a stream."""
    return data_event({"error": _ERROR})


def responses_error_event() -> bytes:
    """The same in the Responses API."""
    error = {"type": "error", "sequence_number": 0, "code": "server_error", "message": _ERROR["message"], "param": None}
    return b"event: error\n" + data_event(error)


async def deliver_whole(call: HttpCall, planned: Planned[Answer] | Planned[Vectors], body: Callable[[], bytes], headers: Headers) -> None:
    await asyncio.sleep(planned.whole_s)
    standing = planned.standing
    match standing.condition:
        case Condition.HANG:
            await call.wait_for_departure()
        case Condition.CUT:
            whole = body()
            await call.reply_in_part(whole, headers, part=len(whole) // 2 if standing.after_pieces else len(whole) - 1)
        case Condition.ERROR_IN_200:
            await call.reply(200, encode({"error": _ERROR}), headers)
        case _:
            await call.reply(200, body(), headers)


async def deliver_stream(
    call: HttpCall, planned: Planned[Answer], frames: Frames, headers: Headers, *, on_error: Callable[[], bytes]
) -> None:
    standing = planned.standing
    if standing.condition is Condition.HANG:
        await call.wait_for_departure()
        return
    await call.open_stream(headers)
    await call.piece(frames.opening, wait_s=planned.first_token_s)
    ends_early = standing.condition in {Condition.CUT, Condition.ERROR_IN_200}
    for index, piece in enumerate(frames.pieces[: standing.after_pieces if ends_early else None]):
        await call.piece(piece, wait_s=planned.per_piece_s if index else 0.0)
    if standing.condition is Condition.CUT:
        return
    await call.piece(on_error() if ends_early else frames.closing)
    await call.close_stream()
