"""What the calls about the audit log answer with."""

import msgspec

from changeover.rollout.audit_chain import Head, Link
from changeover.rollout.audit_entry import AuditEntry


class AuditAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The newest entries that were asked for, oldest first, and where the log ends. ``more``: there are older ones."""

    entries: tuple[AuditEntry, ...]
    more: bool
    head: Head


class LinksAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the log as it is stored. Ask again with ``after=next`` until ``next`` is the head's revision."""

    links: tuple[Link, ...]
    next: int
    head: Head


class AuditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the log is the one that was written: ``faults`` names every place where it is not, the first broken link first."""

    ok: bool
    checked: int
    head: Head
    faults: tuple[str, ...]
