"""Changes, the world and the tables they make, and what they owe: written together or not at all."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from changeover.adapters.sql import schema
from changeover.adapters.sql.lease_shelf import refuse_lost
from changeover.adapters.sql.migration import expect_schema
from changeover.adapters.sql.session import Part, Session, as_text
from changeover.ports.store import StoreError
from changeover.rollout.audit_chain import Head, Link, chain_faults, link_hash
from changeover.rollout.state import Command
from changeover.rollout.world import Change, Proposal, World, apply, routing_table
from changeover.traffic.table import RoutingTable


class SqlLedger(Part):
    """``ports.store.Ledger`` and ``ports.store.Outbox``."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known = World()
        """The world last seen: decoded once a revision, since it is asked for much more often than it changes."""

    def world(self) -> World:
        """See ``Ledger``."""
        with self._session.reading() as connection:
            return self._present(connection)

    def commit(self, decide: Callable[[World], Proposal], *, at: float, epoch: int | None = None) -> Change:
        """See ``Ledger``. The world's row is locked before it is read, and stays so until the end."""
        with self._session.committing() as connection:
            head = _locked_head(connection)
            expect_schema(connection, self._session.place)
            if epoch is not None:
                refuse_lost(connection, epoch)
            before = self._present(connection)
            proposal = decide(before)
            change = Change(revision=before.revision + 1, at=at, actor=proposal.actor, reason=proposal.reason, body=proposal.body)
            after = apply(before, change)
            self._write(connection, change, after, previous=head, moved=after.table_revision != before.table_revision)
            _owe(connection, change.revision, proposal.commands)
            self._session.engine.announce(connection, change.revision)
        self._known = after
        return change

    def changes(self, *, after: int = 0, limit: int = 1000) -> Sequence[Change]:
        """See ``Ledger``."""
        with self._session.reading() as connection:
            return self._changes(connection, after=after, limit=limit)

    def links(self, *, after: int = 0, limit: int = 1000) -> Sequence[Link]:
        """See ``Ledger``."""
        with self._session.reading() as connection:
            return list(_links(connection, after=after, limit=limit))

    def head(self) -> Head:
        """See ``Ledger``."""
        with self._session.reading() as connection:
            return _head(connection)

    def verify(self) -> Sequence[str]:
        """See ``Ledger``. Also asks the database whether its files are whole."""
        with self._session.reading() as connection:
            faults = self._session.engine.damage(connection)
            if faults:
                return faults  # damaged pages may hold anything, and what is read from them proves nothing
            faults += chain_faults(_links(connection, after=0, limit=None), head=_head(connection))
            try:
                replayed, tables = self._replayed(connection)
            except (StoreError, ValueError, KeyError) as error:
                return [*faults, f"the changes cannot be replayed: {error}"]
            if self._stored_world(connection) != replayed:
                faults.append(f"the stored world is not what its changes make up to revision {replayed.revision}")
            return faults + self._table_faults(connection, tables)

    def owed(self, limit: int) -> Sequence[tuple[int, Command]]:
        """See ``Outbox``."""
        query = sa.select(schema.outbox.c.id, schema.outbox.c.body).order_by(schema.outbox.c.id).limit(limit)
        with self._session.reading() as connection:
            return [
                (identity, self._session.read_back(body, Command, f"command {identity}")) for identity, body in connection.execute(query)
            ]

    def done(self, identity: int) -> None:
        """See ``Outbox``."""
        with self._session.writing(durable=False) as connection:
            connection.execute(sa.delete(schema.outbox).where(schema.outbox.c.id == identity))

    def _present(self, connection: sa.Connection) -> World:
        revision = connection.scalar(sa.select(schema.world.c.revision))
        if revision != self._known.revision:
            self._known = self._stored_world(connection)
        return self._known

    def _stored_world(self, connection: sa.Connection) -> World:
        body = connection.scalar(sa.select(schema.world.c.body)) or ""
        return self._session.read_back(body, World, "the world")

    def _changes(self, connection: sa.Connection, *, after: int, limit: int | None) -> list[Change]:
        table = schema.changes
        query = sa.select(table.c.revision, table.c.body).where(table.c.revision > after).order_by(table.c.revision).limit(limit)
        return [self._session.read_back(body, Change, f"change {revision}") for revision, body in connection.execute(query)]

    def _write(self, connection: sa.Connection, change: Change, world: World, *, previous: str, moved: bool) -> None:
        text = _storable(change)
        head = link_hash(previous, text.encode())
        row = {"revision": change.revision, "at": change.at, "actor": change.actor, "body": text, "hash": head}
        connection.execute(sa.insert(schema.changes), row)
        connection.execute(sa.update(schema.world), {"revision": world.revision, "body": as_text(world), "head": head})
        if moved:
            table = routing_table(world)
            connection.execute(sa.insert(schema.routing_tables), {"revision": table.revision, "body": as_text(table)})

    def _replayed(self, connection: sa.Connection) -> tuple[World, dict[int, RoutingTable]]:
        world, tables = World(), dict[int, RoutingTable]()
        for change in self._changes(connection, after=0, limit=None):
            world = apply(world, change)
            if world.table_revision == change.revision:
                tables[change.revision] = routing_table(world)
        return world, tables

    def _table_faults(self, connection: sa.Connection, expected: dict[int, RoutingTable]) -> list[str]:
        query = sa.select(schema.routing_tables.c.revision, schema.routing_tables.c.body)
        found = {revision: self._session.read_back(body, RoutingTable, f"table {revision}") for revision, body in connection.execute(query)}
        return [
            f"the stored routing table {revision} is not what the changes make"
            for revision in sorted(found.keys() | expected.keys())
            if found.get(revision) != expected.get(revision)
        ]


def _locked_head(connection: sa.Connection) -> str:
    """The last change's hash. Whoever else wants to commit waits here, where the database lets several come so far."""
    return connection.scalar(sa.select(schema.world.c.head).with_for_update()) or ""


def _head(connection: sa.Connection) -> Head:
    row = connection.execute(sa.select(schema.world.c.revision, schema.world.c.head)).one()
    return Head(revision=row.revision, hash=row.head)


def _links(connection: sa.Connection, *, after: int, limit: int | None) -> Iterator[Link]:
    table = schema.changes
    query = sa.select(table).where(table.c.revision > after).order_by(table.c.revision).limit(limit)
    for row in connection.execute(query):
        yield Link(revision=row.revision, at=row.at, actor=row.actor, hash=row.hash, change=msgspec.Raw(row.body.encode()))


def _owe(connection: sa.Connection, revision: int, commands: Sequence[Command]) -> None:
    if commands:
        connection.execute(sa.insert(schema.outbox), [{"revision": revision, "body": as_text(command)} for command in commands])


def _storable(change: Change) -> str:
    """The change as text that gives back the same change. JSON knows no infinity, and a log must stay readable."""
    text = as_text(change)
    try:
        returned = msgspec.json.decode(text, type=Change)
    except msgspec.ValidationError as error:
        raise StoreError(f"change {change.revision} cannot be stored as it is: {error}; expected finite numbers") from error
    if returned != change:
        raise StoreError(f"change {change.revision} cannot be stored as it is; expected finite numbers")
    return text
