"""Posts can be searched by their words: an index of SQLite's FTS5, or of PostgreSQL over the same two columns.

Written by hand: Alembic knows neither. A later migration that has SQLite make the table `statuses` anew (Alembic's
batches do) takes the triggers with it, and must run `TRIGGERS` again.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ENTRY = "INSERT INTO statuses_text(rowid, text, spoiler_text) VALUES (new.id, new.text, new.spoiler_text);"
_GONE = (
    "INSERT INTO statuses_text(statuses_text, rowid, text, spoiler_text)"
    " VALUES ('delete', old.id, old.text, old.spoiler_text);"
)
_WORDS = "reblog_of_id IS NULL"  # a boost has none
TRIGGERS = (
    f"CREATE TRIGGER statuses_text_added AFTER INSERT ON statuses WHEN new.{_WORDS} BEGIN {_ENTRY} END",
    f"CREATE TRIGGER statuses_text_removed AFTER DELETE ON statuses WHEN old.{_WORDS} BEGIN {_GONE} END",
    f"CREATE TRIGGER statuses_text_changed AFTER UPDATE OF text, spoiler_text ON statuses BEGIN {_GONE} {_ENTRY} END",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_statuses_text ON statuses"
            " USING gin (to_tsvector('simple', spoiler_text || ' ' || text)) WHERE reblog_of_id IS NULL"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE statuses_text USING fts5(text, spoiler_text,"
        " content='statuses', content_rowid='id', tokenize='unicode61 remove_diacritics 0')"
    )
    for trigger in TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_statuses_text")
        return
    for name in ("added", "removed", "changed"):
        op.execute(f"DROP TRIGGER statuses_text_{name}")
    op.execute("DROP TABLE statuses_text")
