"""Observations, scores and data planes on disk."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.engine import AsJson, insert_new
from changeover.adapters.sql.issuer_shelf import note_issuers
from changeover.adapters.sql.session import Part, Session, as_text
from changeover.evidence.score import Score
from changeover.exchange.observation import Observation
from changeover.ports.planes import Acknowledgement, ObservationBatch, PlaneState
from changeover.ports.store import EvidenceRow, Mark, StoreError

SYNC_EVERY_S: Final = 1.0
"""At most so many seconds of observations are lost when the machine itself dies; a sync a batch would buy little more."""

IDS_PER_QUERY: Final = 2000
"""Databases bound the parameters of one statement; SQLite's bound is 32,766."""

ROWS_AT_ONCE: Final = 1000

_observation: Final = msgspec.json.Decoder(Observation)
_score: Final = msgspec.json.Decoder(Score)
_EVERYTHING: Final = (
    (sa.select(schema.observations.c.request_id, schema.observations.c.body), _observation, "observation of request"),
    (sa.select(schema.scores.c.id, schema.scores.c.body), _score, "score"),
)


class SqlObservationLog(Part):
    """``ports.store.ObservationLog``."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._synced_at = float("-inf")

    def take(self, batch: ObservationBatch, *, at: float) -> bool:
        """See ``ObservationLog``."""
        durable = not self._synced_at <= at < self._synced_at + SYNC_EVERY_S
        with self._session.writing(durable=durable) as connection:
            before = self._boot(connection, batch.plane, batch.boot)
            if batch.sequence <= before.sequence:
                return False
            if batch.observations:
                connection.execute(insert_new(connection, schema.observations), [_observation_row(item) for item in batch.observations])
                note_issuers(connection, batch.observations, at=at)
            heard = msgspec.structs.replace(
                before, seen_at=at, watermark_at=batch.watermark_at, sequence=batch.sequence, dropped=batch.dropped, lost=batch.lost
            )
            _hear(connection, heard)
        if durable:
            self._synced_at = at
        return True

    def acknowledge(self, acknowledgement: Acknowledgement, *, at: float) -> None:
        """See ``ObservationLog``."""
        with self._session.writing(durable=False) as connection:
            before = self._boot(connection, acknowledgement.plane, acknowledgement.boot)
            revision = max(before.acknowledged_revision, acknowledgement.revision)
            _hear(connection, msgspec.structs.replace(before, acknowledged_revision=revision, seen_at=at))

    def planes(self) -> Sequence[PlaneState]:
        """See ``ObservationLog``."""
        planes, boots = schema.planes, schema.boots
        query = (
            sa.select(planes.c.plane, planes.c.watermark_at, boots.c.body)
            .join_from(planes, boots, (boots.c.plane == planes.c.plane) & (boots.c.boot == planes.c.boot))
            .order_by(planes.c.plane)
        )
        with self._session.reading() as connection:
            return [
                msgspec.structs.replace(self._session.read_back(body, PlaneState, f"data plane {plane}"), watermark_at=watermark_at)
                for plane, watermark_at, body in connection.execute(query)
            ]

    def add_scores(self, scores: Sequence[Score]) -> int:
        """See ``ObservationLog``. On disk when it returns: whoever sent a score was told that it is kept."""
        if not scores:
            return 0
        rows = [
            {"request_id": item.request_id, "name": item.name, "scorer": item.scorer, "value": item.value, "body": as_text(item)}
            for item in scores
        ]
        with self._session.writing(durable=True) as connection:
            return connection.execute(insert_new(connection, schema.scores), rows, execution_options={"preserve_rowcount": True}).rowcount

    def tasks_of(self, request_ids: Sequence[str]) -> dict[str, str]:
        """See ``ObservationLog``."""
        table, found = schema.observations, dict[str, str]()
        with self._session.reading() as connection:
            for first in range(0, len(request_ids), IDS_PER_QUERY):
                asked = request_ids[first : first + IDS_PER_QUERY]
                query = sa.select(table.c.request_id, table.c.task).where(table.c.request_id.in_(asked), table.c.task.is_not(None))
                found |= {row.request_id: row.task for row in connection.execute(query)}
        return found

    def rows(self, *, task: str, attempt: int, since: float, until: float, score: str | None) -> Sequence[EvidenceRow]:
        """See ``ObservationLog``."""
        query = _ROWS if score is None else _ROWS_WITH_SCORE
        asked = {"task": task, "attempt": attempt, "since": since, "until": until, "score": score}
        with self._session.reading() as connection:
            found = connection.execute(query, asked).all()
        try:
            return [EvidenceRow(observation=_observation.decode(body), score=value) for body, value in found]
        except msgspec.DecodeError as error:
            raise StoreError(f"cannot read an observation of task {task}, attempt {attempt}, in {self._session.place}: {error}") from error

    def first_seen(self, *, task: str, attempts: Sequence[int], since: float, until: float, most: int) -> Sequence[float] | None:
        """See ``ObservationLog``."""
        asked = {"task": task, "attempts": list(attempts), "since": since, "until": until, "limit": most + 1}
        with self._session.reading() as connection:
            if (connection.scalar(_COUNTED, asked) or 0) > most:
                return None
            return list(connection.scalars(_FIRST_SEEN, asked))

    def first_rows(self, *, task: str, attempt: int, since: float, until: float, most: int) -> Sequence[Observation]:
        """See ``ObservationLog``."""
        asked = {"task": task, "attempt": attempt, "since": since, "until": until, "most": most}
        with self._session.reading() as connection:
            found = connection.execute(_FIRST_ROWS, asked).all()
        try:
            return [_observation.decode(body) for body, _ in found]
        except msgspec.DecodeError as error:
            raise StoreError(f"cannot read an observation of task {task}, attempt {attempt}, in {self._session.place}: {error}") from error

    def rows_after(self, *, task: str, attempt: int, after: Mark, most: int) -> Sequence[Observation]:
        """See ``ObservationLog``."""
        asked = {"task": task, "attempt": attempt, "started_at": after.started_at, "request_id": after.request_id, "most": most}
        with self._session.reading() as connection:
            found = connection.scalars(_ROWS_AFTER, asked).all()
        try:
            return [_observation.decode(body) for body in found]
        except msgspec.DecodeError as error:
            raise StoreError(f"cannot read an observation of task {task}, attempt {attempt}, in {self._session.place}: {error}") from error

    def unreadable(self, *, most: int) -> list[str]:
        """Observations and scores that do not decode as what they are, named. Read in parts, whatever their number."""
        with self._session.reading() as connection:
            return list(islice(_unreadable(connection), most))

    def observation(self, request_id: str) -> Observation | None:
        """See ``ObservationLog``."""
        table = schema.observations
        with self._session.reading() as connection:
            body = connection.scalar(sa.select(table.c.body).where(table.c.request_id == request_id))
        return None if body is None else self._session.read_back(body, Observation, f"request {request_id}")

    def _boot(self, connection: sa.Connection, plane: str, boot: str) -> PlaneState:
        table = schema.boots
        body = connection.scalar(sa.select(table.c.body).where(table.c.plane == plane, table.c.boot == boot))
        if body is None:
            return PlaneState(plane=plane, boot=boot, acknowledged_revision=0, seen_at=0.0, watermark_at=0.0)
        return self._session.read_back(body, PlaneState, f"data plane {plane}")


def _rows_query(value: sa.ColumnElement[float] | sa.Null) -> "sa.Select[*tuple[Any, ...]]":
    table = schema.observations
    return (
        sa.select(table.c.body, value)
        .where(
            table.c.task == sa.bindparam("task"),
            table.c.attempt == sa.bindparam("attempt"),
            table.c.started_at >= sa.bindparam("since"),
            table.c.started_at < sa.bindparam("until"),
            table.c.side.is_not(None),
            table.c.forced.is_(sa.false()),
        )
        .order_by(table.c.started_at, table.c.request_id)
    )


def _first_score() -> sa.ColumnElement[float]:
    table = schema.scores
    return (
        sa.select(table.c.value)
        .where(table.c.request_id == schema.observations.c.request_id, table.c.name == sa.bindparam("score"))
        .order_by(table.c.id)
        .limit(1)
        .scalar_subquery()
    )


def _in_window() -> tuple[sa.ColumnElement[bool], ...]:
    table = schema.observations
    return (
        table.c.task == sa.bindparam("task"),
        table.c.attempt.in_(sa.bindparam("attempts", expanding=True)),
        table.c.started_at >= sa.bindparam("since"),
        table.c.started_at < sa.bindparam("until"),
    )


def _counted_query() -> "sa.Select[*tuple[int]]":
    """How many there are, counted no further than a limit: from the index alone."""
    found = sa.select(schema.observations.c.started_at).where(*_in_window()).limit(sa.bindparam("limit")).subquery()
    return sa.select(sa.func.count()).select_from(found)


def _first_seen_query() -> "sa.Select[*tuple[float]]":
    table = schema.observations
    body = AsJson(table.c.body)
    unit = sa.case((body["sticky"].as_boolean(), body["unit"].as_string()))
    first = sa.func.min(table.c.started_at)
    return (
        sa.select(first)
        .where(*_in_window(), table.c.side.is_not(None), table.c.forced.is_(sa.false()), body["retry"].as_boolean().is_not(sa.true()))
        .group_by(unit, sa.case((unit.is_(None), table.c.request_id)))
        .order_by(first)
    )


def _rows_after_query() -> "sa.Select[*tuple[str]]":
    table = schema.observations
    started_at: sa.BindParameter[float] = sa.bindparam("started_at")
    return (
        sa.select(table.c.body)
        .where(
            table.c.task == sa.bindparam("task"),
            table.c.attempt == sa.bindparam("attempt"),
            table.c.started_at >= started_at,  # alone it can be looked up in the index
            sa.or_(table.c.started_at > started_at, table.c.request_id > sa.bindparam("request_id")),
        )
        .order_by(table.c.started_at, table.c.request_id)
        .limit(sa.bindparam("most"))
    )


_COUNTED: Final = _counted_query()
_FIRST_SEEN: Final = _first_seen_query()
_ROWS: Final = _rows_query(sa.null())
_FIRST_ROWS: Final = _ROWS.limit(sa.bindparam("most"))
_ROWS_AFTER: Final = _rows_after_query()
_ROWS_WITH_SCORE: Final = _rows_query(_first_score())


def _unreadable(connection: sa.Connection) -> Iterator[str]:
    for query, decoder, what in _EVERYTHING:
        for name, body in connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}):
            try:
                decoder.decode(body)
            except (TypeError, ValueError) as error:
                yield f"{what} {name} cannot be read: {error}"


def _observation_row(observation: Observation) -> dict[str, object]:
    return {
        "request_id": observation.request_id,
        "task": observation.task,
        "attempt": observation.attempt,
        "started_at": observation.started_at,
        "side": observation.side,
        "forced": observation.forced,
        "body": as_text(observation),
    }


def _hear(connection: sa.Connection, state: PlaneState) -> None:
    """Keep the boot's state, and that it was the one last heard; the plane's watermark never falls."""
    planes, boots = schema.planes, schema.boots
    connection.execute(insert_new(connection, planes), {"plane": state.plane, "boot": state.boot, "watermark_at": state.watermark_at})
    connection.execute(
        sa.update(planes)
        .where(planes.c.plane == state.plane)
        .values(
            boot=state.boot,
            watermark_at=sa.case((planes.c.watermark_at < state.watermark_at, state.watermark_at), else_=planes.c.watermark_at),
        )
    )
    row = {"sequence": state.sequence, "body": as_text(state)}
    connection.execute(insert_new(connection, boots), {"plane": state.plane, "boot": state.boot, **row})
    connection.execute(sa.update(boots).where(boots.c.plane == state.plane, boots.c.boot == state.boot).values(**row))
