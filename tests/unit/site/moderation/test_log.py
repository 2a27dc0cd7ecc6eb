"""The moderation log: each entry follows on the one before it, and whatever is changed shows."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rostra.site.database.tables.moderation import ModerationEntry
from rostra.site.moderation.log import FIRST_HASH, broken, sealed


def chain(length: int) -> list[ModerationEntry]:
    entries: list[ModerationEntry] = []
    for number in range(1, length + 1):
        entry = ModerationEntry(
            number=number,
            actor_id=7,
            verb="decided",
            subject={"decision": str(number)},
            at=datetime(2026, 11, 21, 20, number, tzinfo=UTC),
            prev_hash=entries[-1].hash if entries else FIRST_HASH,
        )
        entry.hash = sealed(entry)
        entries.append(entry)
    return entries


def test_a_log_that_was_only_appended_to_is_whole() -> None:
    assert list(broken(chain(5))) == []
    assert list(broken([])) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor_id", 8),
        ("verb", "noted"),
        ("subject", {"decision": "99"}),
        ("at", datetime(2026, 11, 21, 21, 0, tzinfo=UTC)),
    ],
)
def test_an_entry_that_was_changed_is_found(field: str, value: Any) -> None:
    entries = chain(5)
    setattr(entries[2], field, value)
    assert [number for number, _ in broken(entries)] == [3]


def test_an_entry_that_was_changed_and_sealed_again_breaks_the_one_after_it() -> None:
    entries = chain(5)
    entries[2].verb = "noted"
    entries[2].hash = sealed(entries[2])
    assert list(broken(entries)) == [(4, "it does not follow on the entry before it")]


def test_an_entry_that_is_gone_is_missed() -> None:
    entries = chain(5)
    del entries[2]
    assert list(broken(entries)) == [(4, "1 entries are missing before it")]
