"""What all tables are made of: their base, ids, instants and JSON."""

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An instant with its zone, kept as UTC; SQLite, which knows no zones, gives it back with one too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "An instant has a zone."
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


JSON_VALUE = JSON().with_variant(JSONB(), "postgresql")


class Table(DeclarativeBase):
    """Base of all tables. No relationships: what a page needs is loaded for all its rows at once, and seen."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 # SQLAlchemy's own declaration
        datetime: Instant,
        int: BigInteger,
        dict[str, Any]: JSON_VALUE,
        list[Any]: JSON_VALUE,
    }


Id = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]  # a snowflake


def link(target: str, *, index: bool = False, primary_key: bool = False, cascade: bool = True) -> Any:
    """A column that names a row of another table, and goes when that row goes (or is emptied)."""
    return mapped_column(
        BigInteger,
        ForeignKey(target, ondelete="CASCADE" if cascade else "SET NULL"),
        index=index,
        primary_key=primary_key,
        autoincrement=False if primary_key else "auto",
    )
