"""Engines: an encrypted SQLite file by default, PostgreSQL when grown."""

from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

READING = "doorward_reading"

# Durable at every commit (synchronous=FULL syncs the write-ahead log before a commit returns); temporary
# tables never touch the disk; freed pages are overwritten.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "temp_store=MEMORY",
    "secure_delete=ON",
    "cache_size=-16384",
)


def encrypted_sqlite(path: Path, key: bytes) -> Engine:
    """An engine on an SQLCipher file opened with a raw 32-byte key.

    Every write transaction starts with BEGIN IMMEDIATE, so that what it read still holds when it writes.
    """
    if len(key) != 32:
        raise ValueError("the database key must have 32 bytes")

    def connect() -> Any:
        link = sqlcipher.connect(str(path), check_same_thread=False, isolation_level=None, timeout=5)
        link.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        for pragma in PRAGMAS:
            link.execute(f"PRAGMA {pragma}")
        return link

    engine = create_engine("sqlite://", module=sqlcipher, creator=connect, poolclass=QueuePool, pool_size=6)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def postgres(url: str) -> Engine:
    """An engine on PostgreSQL; each transaction is serializable, so that what it read still holds."""
    return create_engine(url, isolation_level="SERIALIZABLE", pool_size=6, pool_pre_ping=True)
