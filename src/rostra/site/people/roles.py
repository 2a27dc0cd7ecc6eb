"""What somebody may do on the whole site: owner, moderator or member. Pure."""

from dataclasses import dataclass
from typing import Final

# Mastodon's permission bits (UserRole), which clients read to show or hide what moderators use.
_ADMINISTRATOR: Final = 1 << 0
_MODERATION: Final = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 10  # audit log, reports, appeals, users
_INVITES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Role:
    """`id` and `permissions` as the API has them; `name` is what we keep."""

    id: int
    name: str
    title: str
    color: str
    permissions: int
    highlighted: bool

    @property
    def moderates(self) -> bool:
        return bool(self.permissions & _MODERATION)


ROLES: Final = {
    role.name: role
    for role in (
        Role(3, "owner", "Owner", "", _ADMINISTRATOR | _MODERATION | _INVITES, True),
        Role(1, "moderator", "Moderator", "", _MODERATION | _INVITES, True),
        Role(-99, "member", "", "", _INVITES, False),
    )
}
