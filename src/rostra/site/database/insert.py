"""Inserts that may meet a row that is there already, made by somebody else at the same instant."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from rostra.site.database.tables.columns import Table


async def insert_once(session: AsyncSession, table: type[Table], **values: Any) -> bool:
    """Whether the row is new; False if it breaks a unique constraint. Waits for whoever is inserting the same."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(**values).on_conflict_do_nothing().returning(*table.__table__.primary_key)
    return (await session.execute(statement)).first() is not None
