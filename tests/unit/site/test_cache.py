"""What is kept in memory is never older than what has been told."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rostra.site.cache import EntityCache
from rostra.site.events import AccountChanged, Notified, StatusCounted, StatusDeleted, StatusEdited, StatusPosted

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    cache = EntityCache()
    read_at = cache.epoch
    cache.hear(StatusEdited(1, 2))
    cache.put(("status", 1), b"old", read_at=read_at, now=NOW)
    cache.put(("status", 2), b"other", read_at=read_at, now=NOW)
    assert cache.get(("status", 1), NOW) is None
    assert cache.get(("status", 2), NOW) == b"other"
    cache.put(("status", 1), b"new", read_at=cache.epoch, now=NOW)
    assert cache.get(("status", 1), NOW) == b"new"
    assert cache.get(("status", 1), NOW + timedelta(minutes=2)) is None, "an event may be lost"


def test_each_event_drops_what_it_makes_stale() -> None:
    for event, gone in (
        (StatusPosted(1, 2), {("account", 2)}),
        (StatusEdited(1, 2), {("status", 1)}),
        (StatusCounted(1), {("status", 1)}),
        (StatusDeleted(1, 2), {("status", 1), ("account", 2)}),
        (AccountChanged(2), {("account", 2)}),
        (Notified(1, 2), set()),
    ):
        cache = EntityCache()
        keys = [(kind, number) for kind in ("status", "account") for number in (1, 2)]
        for key in keys:
            cache.put(key, b"kept", read_at=cache.epoch, now=NOW)
        cache.hear(event)
        assert {key for key in keys if cache.get(key, NOW) is None} == gone


@given(st.lists(st.tuples(st.sampled_from(["change", "begin", "end"]), st.integers(0, 3)), max_size=60))
def test_a_reader_never_finds_what_was_changed_before_it_began(steps: list[tuple[str, int]]) -> None:
    """`truth` is the database; readers begin, see it as it is, and put what they saw later."""
    cache, truth = EntityCache(), dict.fromkeys(range(4), 0)
    reading: list[tuple[int, dict[int, int]]] = []
    for what, key in steps:
        if what == "change":
            truth[key] += 1
            cache.hear(StatusCounted(key))
        elif what == "begin":
            reading.append((cache.epoch, dict(truth)))
        elif reading:
            read_at, seen = reading.pop(0)
            cache.put(("status", key), b"%d" % seen[key], read_at=read_at, now=NOW)
        for each, version in truth.items():
            assert cache.get(("status", each), NOW) in {None, b"%d" % version}
