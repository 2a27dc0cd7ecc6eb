"""Alembic's entry: the connection is handed over by migrate.py, the tables are ours."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, Connection

from rostra.site.database import tables
from rostra.site.database.tables.columns import Instant, Table

assert tables.__all__  # importing them has filled Table.metadata


def _render(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """Our own column types by their names, in migrations that are written."""
    names = {Instant: "Instant()", JSON: "JSON_VALUE"}
    name = names.get(type(item)) if kind == "type" else None
    if name is None:
        return False
    autogenerate.imports.add(f"from rostra.site.database.tables.columns import {name.removesuffix('()')}")
    return name


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """Not the tables that SQLite's full-text index keeps for itself (0002_full_text.py)."""
    return not (kind == "table" and name is not None and name.startswith("statuses_text"))


connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    render_as_batch=True,
    render_item=_render,
    include_name=_ours,
)
with context.begin_transaction():
    context.run_migrations()
