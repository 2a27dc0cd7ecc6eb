"""Write the migration to the tables as they are in the code: `python tools/migration.py MESSAGE`.

While nothing is released, the first one is written anew (delete its file): those after it are laid aside meanwhile.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from rostra.site.database.engine import Database
from rostra.site.database.migrate import configuration, migrate

VERSIONS = Path(configuration().get_main_option("script_location") or "") / "versions"


async def main(message: str) -> None:
    with later_ones_aside(), tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'site.db'}")
        await migrate(database)
        async with database.writers.connect() as connection:
            await connection.run_sync(_revise, message)
        await database.close()


@contextmanager
def later_ones_aside() -> Iterator[None]:
    """Without a first migration, those that follow it cannot be read."""
    later = [] if list(VERSIONS.glob("0001_*.py")) else sorted(VERSIONS.glob("*.py"))
    for path in later:
        path.rename(path.with_suffix(".later"))
    try:
        yield
    finally:
        for path in later:
            path.with_suffix(".later").rename(path)


def _revise(connection: Connection, message: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    number = 1 + len(list(VERSIONS.glob("*.py")))
    command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
