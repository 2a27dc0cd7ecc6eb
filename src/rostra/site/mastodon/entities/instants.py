"""Instants as Mastodon's API writes them (wire rule 7): milliseconds and `Z`, always."""

from datetime import UTC, datetime


def written(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def optional(instant: datetime | None) -> str | None:
    return None if instant is None else written(instant)


def midnight(instant: datetime) -> str:
    """The day on which it was, as an instant: how accounts tell when they were made."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT00:00:00.000Z")
