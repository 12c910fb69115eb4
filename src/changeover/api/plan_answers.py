"""What the calls about a whole file answer with; fields are only ever added."""

import msgspec

from changeover.rollout.amendment import Amendment


class PlanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What applying a file would do at ``revision``. ``faults`` say why the whole of it cannot be applied; ``warnings`` are the
    file's own.
    """

    revision: int
    has_changes: bool
    amendments: tuple[Amendment, ...] = ()
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class AppliedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A file was applied: it made ``revision``, and data planes serve it from ``table_revision`` on."""

    revision: int
    table_revision: int
    amendments: tuple[Amendment, ...] = ()
    warnings: tuple[str, ...] = ()


class ExportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A changeover.yaml that says what is in force at ``revision``."""

    revision: int
    text: str
