"""Mastodon's scopes: `read` holds every `read:…`, and so on. Pure."""

from collections.abc import Iterable
from typing import Final

_FOLLOW: Final = ("read:blocks", "write:blocks", "read:follows", "write:follows", "read:mutes", "write:mutes")
_READ: Final = (
    "accounts", "blocks", "bookmarks", "favourites", "filters", "follows", "lists", "mutes", "notifications",
    "search", "statuses",
)  # fmt: skip
_WRITE: Final = (
    "accounts", "blocks", "bookmarks", "conversations", "favourites", "filters", "follows", "lists", "media",
    "mutes", "notifications", "reports", "statuses",
)  # fmt: skip
_ADMIN: Final = (
    "accounts", "reports", "domain_allows", "domain_blocks", "ip_blocks", "email_domain_blocks",
    "canonical_email_blocks",
)  # fmt: skip
SCOPES: Final = (
    "read", *(f"read:{part}" for part in _READ),
    "write", *(f"write:{part}" for part in _WRITE),
    "follow", "push", "profile",
    "admin:read", *(f"admin:read:{part}" for part in _ADMIN),
    "admin:write", *(f"admin:write:{part}" for part in _ADMIN),
)  # fmt: skip


def parse_scopes(text: str) -> tuple[str, ...] | None:
    """The scopes of a list with spaces (or `+`), or None if one of them does not exist."""
    scopes = tuple(dict.fromkeys(text.replace("+", " ").split()))
    return scopes if all(scope in SCOPES for scope in scopes) else None


def allows(granted: Iterable[str], wanted: str) -> bool:
    """Whether `granted` holds `wanted`: itself, or what it is a part of."""
    held = set(granted)
    parts = wanted.split(":")
    if any(":".join(parts[:n]) in held for n in range(1, len(parts) + 1)):
        return True
    return "follow" in held and wanted in _FOLLOW
