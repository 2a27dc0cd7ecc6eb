"""Write the migration to the tables as they are in the code: `python tools/migration.py MESSAGE`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from rostra.site.database.engine import Database
from rostra.site.database.migrate import configuration, migrate


async def main(message: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'site.db'}")
        await migrate(database)
        async with database.writers.connect() as connection:
            await connection.run_sync(_revise, message)
        await database.close()


def _revise(connection: Connection, message: str) -> None:
    config = configuration()
    config.attributes["connection"] = connection
    number = 1 + len(list((Path(config.get_main_option("script_location") or "") / "versions").glob("*.py")))
    command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
