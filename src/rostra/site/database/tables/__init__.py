"""Every table, by what it is about. Importing this package makes `Table.metadata` complete."""

from rostra.site.database.tables import (
    attention,
    authorization,
    conversations,
    graph,
    media,
    moderation,
    people,
    posts,
    work,
)

__all__ = [
    "attention",
    "authorization",
    "conversations",
    "graph",
    "media",
    "moderation",
    "people",
    "posts",
    "work",
]
