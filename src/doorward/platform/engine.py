"""Engines: an encrypted SQLite file by default, PostgreSQL when grown."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DisconnectionError

from doorward.core.errors import Unavailable

READING = "doorward_reading"
WAITING = "doorward_waiting"  # how many seconds a unit waits for writers of other processes
OTHERS_SECONDS = 5.0
WAIT_FOR_OTHERS = f"busy_timeout={OTHERS_SECONDS * 1000:.0f}"
WRITERS_PLACE = 0x646F6F72  # any number that no other program locks in our database
OVERFLOW = 48  # a connection for every thread of the server: nobody at a gate waits for somebody else's

# Durable at every commit (synchronous=FULL syncs the write-ahead log before a commit returns); temporary
# tables never touch the disk; freed pages are overwritten.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    WAIT_FOR_OTHERS,
    "temp_store=MEMORY",
    "secure_delete=ON",
    "cache_size=-16384",
)


# Said to PostgreSQL once a connection: wait no longer for a writer than on the file; a process that froze or
# lost its machine lets go of the writer's place; and no commit is answered before it is durable.
MANNERS = (
    f"SET lock_timeout = '{OTHERS_SECONDS * 1000:.0f}ms'",
    "SET idle_in_transaction_session_timeout = '60s'",
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'",
)
# A server that is gone without a word is noticed in seconds, unless the URL says otherwise.
PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 10_000,
}


def encrypted_sqlite(path: Path, key: bytes | Callable[[], Sequence[bytes]]) -> Engine:
    """An engine on an SQLCipher file opened with a raw 32-byte key.

    Given a function, it asks for the keys that may fit, newest first, so that the file can be re-keyed while
    it is open. Every write transaction starts with BEGIN IMMEDIATE, so that what it read still holds.
    """
    keys = key if callable(key) else _just(key)

    def connect() -> Any:
        *others, last = keys()
        for candidate in others:
            with suppress(sqlcipher.DatabaseError):
                return _open(path, candidate)
        return _open(path, last)

    def look(link: Any, record: Any, _: Any) -> None:
        """Replace a connection that holds the key from before."""
        now = tuple(keys())
        if record.info.setdefault("keys", now) == now and len(now) == 1:
            return
        record.info["keys"] = now
        try:
            link.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        except sqlcipher.DatabaseError as error:
            raise DisconnectionError from error

    engine = create_engine(
        "sqlite://",
        module=sqlcipher,
        creator=connect,
        poolclass=QueuePool,
        pool_size=6,
        max_overflow=OVERFLOW,
    )
    event.listen(engine, "begin", _begin)
    if callable(key):
        event.listen(engine, "checkout", look)
    return engine


def rekey(engine: Engine, key: bytes) -> None:
    """Encrypt the open file anew in one transaction; `Unavailable` while another writer is at work.

    Connections from before are replaced when they are next taken, here and in other processes.
    """
    raw = engine.raw_connection()
    try:
        link: Any = raw.driver_connection
        link.execute(f"PRAGMA {WAIT_FOR_OTHERS}")
        link.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"").fetchall()
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlcipher.DatabaseError as error:
        raise Unavailable("The database is busy: its key was not changed. Try again.") from error
    finally:
        raw.invalidate()
        raw.close()


def _open(path: Path, key: bytes) -> Any:
    if len(key) != 32:
        raise ValueError("the database key must have 32 bytes")
    link = sqlcipher.connect(str(path), check_same_thread=False, isolation_level=None, timeout=OTHERS_SECONDS)
    try:
        link.execute("PRAGMA cipher_log_level = NONE")
        link.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        for pragma in PRAGMAS:
            link.execute(f"PRAGMA {pragma}")
    except sqlcipher.DatabaseError:
        link.close()
        raise
    return link


def _just(key: bytes) -> Callable[[], Sequence[bytes]]:
    return lambda: (key,)


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    _wait_for_others(connection)
    try:
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
    except DatabaseError as error:
        # The file was healthy when this connection was taken: it was re-keyed while we waited our turn.
        if "not a database" in str(error.orig):
            raise Unavailable("The database key was just changed: nothing was kept. Try again.") from error
        raise


def _wait_for_others(connection: Connection) -> None:
    """As long as the unit says; the file's connection keeps it, so that it is told only what changed."""
    wanted = _milliseconds(connection)
    if connection.info.get(WAITING, _milliseconds()) != wanted:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={wanted}")
        connection.info[WAITING] = wanted


def _milliseconds(connection: Connection | None = None) -> int:
    options = connection.get_execution_options() if connection is not None else {}
    seconds: float = options.get(WAITING, OTHERS_SECONDS)
    return max(1, round(seconds * 1000))


def postgres(url: str) -> Engine:
    """An engine on PostgreSQL, with the manners of the file: one writer at a time, readers on a snapshot.

    Every deed ends in one audit log, so writers queue in any case; queueing first spares them the retries
    that serializable transactions would ask for, and what a unit read still holds when it writes.
    """
    named = make_url(url).query
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_size=6,
        max_overflow=OVERFLOW,
        pool_pre_ping=True,
        connect_args={name: value for name, value in PATIENCE.items() if name not in named},
    )
    event.listen(engine, "connect", _settle)
    event.listen(engine, "begin", _queue)
    return engine


def _settle(link: Any, _: Any) -> None:
    link.autocommit = True  # manners of the connection, not of a unit
    for words in MANNERS:
        link.execute(words)
    link.autocommit = False


def _queue(connection: Connection) -> None:
    if connection.get_execution_options().get(READING, False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    else:
        place = f"pg_advisory_xact_lock({WRITERS_PLACE})"
        if WAITING in connection.get_execution_options():
            place = f"set_config('lock_timeout', '{_milliseconds(connection)}ms', true), {place}"
        connection.exec_driver_sql(f"SELECT {place}")
