"""A connection without a network, for a protocol that is driven by hand. No test runs here."""

import asyncio

from changeover.gateway.call import Call
from changeover.gateway.caller import Caller
from changeover.gateway.limits import Limits


class HandTransport(asyncio.Transport):
    """Keeps what is written; ``fill`` makes it full, ``empty`` drains it, as a slow reader would."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closing = False
        self.reading = True
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True


class PatientHouse:
    """Takes every call and answers it when told, or at once."""

    def __init__(self, limits: Limits | None = None, *, at_once: bool = True) -> None:
        self.limits = limits or Limits()
        self.draining = False
        self.callers: set[Caller] = set()
        self.calls: list[Call] = []
        self.unfinished: list[Call] = []
        self.at_once = at_once

    def admit(self, call: Call, /) -> None:
        """Everybody may come in."""

    def serve(self, caller: Caller, call: Call, /) -> None:
        self.calls.append(call)
        if self.at_once:
            self.answer(caller, call)

    def answer(self, caller: Caller, call: Call) -> None:
        caller.write(b"%d;" % (200 if call.refusal is None else call.refusal.status))
        caller.finish(keep=call.keep_alive)

    def left(self, caller: Caller, call: Call | None, /) -> None:
        self.callers.discard(caller)
        if call is not None:
            self.unfinished.append(call)


def connect(house: PatientHouse) -> tuple[Caller, HandTransport]:
    caller, transport = Caller(house), HandTransport()
    caller.connection_made(transport)
    return caller, transport
