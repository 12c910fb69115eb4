"""What keeps the log of changes as it was written: triggers that refuse to update or delete a row of it."""

from typing import Final

from alembic import op

_REFUSAL: Final = "the log of changes is append-only"
_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION changes_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
)


def guard_log() -> None:
    """Make the triggers."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        for verb in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE TRIGGER changes_refuse_{verb.lower()} BEFORE {verb} ON changes "
                "FOR EACH STATEMENT EXECUTE FUNCTION changes_refuse()"
            )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER changes_refuse_{verb.lower()} BEFORE {verb} ON changes BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END")


def lift_guard() -> None:
    """Take them away for a step that fills a new column."""
    on = " ON changes" if op.get_bind().dialect.name == "postgresql" else ""
    for verb in ("update", "delete"):
        op.execute(f"DROP TRIGGER changes_refuse_{verb}{on}")
    if on:
        op.execute("DROP TRIGGER changes_refuse_truncate ON changes")
