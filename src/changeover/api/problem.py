"""What does an error look like on the wire? One shape for all of them; the command line reads it too."""

import msgspec

from changeover.rollout.ways_out import WayOut
from changeover.settings.declared import Fault


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``code`` is for programs, ``message`` says what was found and expected, ``hint`` what to do next.

    ``faults`` are all faults of a file or a body at once; ``criteria`` those that have no source and must be accepted.
    ``details`` are one line each; ``paste`` is YAML for ``changeover.yaml``.
    """

    code: str
    message: str
    hint: str
    faults: tuple[Fault, ...] = ()
    criteria: tuple[str, ...] = ()
    ways_out: tuple[WayOut, ...] = ()
    """Of a plan that cannot decide in time."""
    details: tuple[str, ...] = ()
    paste: str = ""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``{"error": ...}``. ``new`` only for scores: how many were stored all the same."""

    error: Problem
    new: int | None = None
