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

_TEMPLATE = f"template_{secrets.token_hex(6)}"  # of this process: several may test on one server


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
    """The address of its databases without their names; one of them is the template, empty with every table."""
    with postgresql() as address:
        server = address.rpartition("/")[0]
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_TEMPLATE}")
            _migrated(f"{server}/{_TEMPLATE}")
            yield server
            connection.execute(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty database with every table, for what does not depend on which it is."""
    shutil.copy(sqlite_template, tmp_path / "site.db")
    return f"sqlite:///{tmp_path / 'site.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database with every table."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server = request.getfixturevalue("postgresql_server")
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        # A tenth of what it takes to write each page to the log, which is the default.
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY")
        yield f"{server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
