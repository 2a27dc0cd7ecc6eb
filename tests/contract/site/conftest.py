"""Every contract of the site is tried on SQLite and on PostgreSQL."""

import asyncio
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from postgres import postgresql
from rostra.site.database.engine import Database
from rostra.site.database.migrate import migrate


def _migrated(url: str) -> None:
    async def run() -> None:
        database = Database(url)
        await migrate(database)
        await database.close()

    asyncio.run(run())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with every table: 2 s to make, copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of its databases without their names; one of them is `template`, empty with every table."""
    with postgresql() as address:
        server = address.rpartition("/")[0]
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE template")
        _migrated(f"{server}/template")
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "site.db")
        yield f"sqlite:///{tmp_path / 'site.db'}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template")
        yield f"{server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
