"""The moderation log: append-only, each entry sealed with the hash of the one before it."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

import orjson
from sqlalchemy import select, text

from rostra.site.database.tables.moderation import ModerationEntry
from rostra.site.mastodon.entities.instants import written
from rostra.site.work import Work

FIRST_HASH: Final = "0" * 64
_LOCK: Final = 0x4D6F646C6F67  # "Modlog": PostgreSQL's advisory lock; SQLite has one writer anyway


async def append(work: Work, verb: str, subject: dict[str, Any], *, by: int | None) -> None:
    """Write down what was done. `by` is the account of whoever did it; None for the site itself.

    Lock rows before, never after: on PostgreSQL the log is held until the change is kept, and who held it while
    waiting for a row would wait for whoever has the row and wants the log.
    """
    if work.session.get_bind().dialect.name == "postgresql":
        await work.session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    newest = select(ModerationEntry).order_by(ModerationEntry.number.desc()).limit(1)
    before = await work.session.scalar(newest)
    entry = ModerationEntry(
        number=1 if before is None else before.number + 1,
        actor_id=by,
        verb=verb,
        subject=subject,
        at=work.now,
        prev_hash=FIRST_HASH if before is None else before.hash,
    )
    entry.hash = sealed(entry)
    work.session.add(entry)
    await work.session.flush()


def sealed(entry: ModerationEntry) -> str:
    """The hash over everything that the entry says, and over the entry before it."""
    return hash_of({
        "number": entry.number,
        "actor": entry.actor_id,
        "verb": entry.verb,
        "subject": entry.subject,
        "at": written(entry.at),
        "prev": entry.prev_hash,
    })  # fmt: skip


def hash_of(value: Any) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no spaces, UTF-8."""
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def broken(entries: Sequence[ModerationEntry]) -> Iterable[tuple[int, str]]:
    """Where the log is not what was once written: number and what is wrong. Pure; `entries` by number."""
    expected_number, expected_hash = 1, FIRST_HASH
    for entry in entries:
        if entry.number != expected_number:
            yield entry.number, f"{entry.number - expected_number} entries are missing before it"
        elif entry.prev_hash != expected_hash:
            yield entry.number, "it does not follow on the entry before it"
        if entry.hash != sealed(entry):
            yield entry.number, "it was changed after it was written"
        expected_number, expected_hash = entry.number + 1, entry.hash
