"""Brings a database to the tables of this version (Alembic), however many processes start at once."""

from importlib.resources import files
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from rostra.site.database.engine import Database

_LOCK: Final = 0x526F73747261  # "Rostra": PostgreSQL's advisory lock while tables are changed


async def migrate(database: Database) -> None:
    """Run what migrations are missing. One process does it; the others wait and find nothing left to do."""
    async with database.writers.connect() as connection:
        await connection.run_sync(_upgrade)
        await connection.commit()


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("rostra.site.database") / "migrations"))
    return config


def _upgrade(connection: Connection) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":  # SQLite's BEGIN IMMEDIATE has taken its only write lock already
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.upgrade(config, "head")
