"""Whose notifications somebody accepts, has kept apart, or wants never to see. The decision is pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Choice = Literal["accept", "filter", "drop"]
CHOICES: Final[tuple[Choice, ...]] = ("accept", "filter", "drop")
# Mastodon's questions, and what holds for who has not answered them.
DEFAULTS: Final[Mapping[str, Choice]] = {
    "for_not_following": "accept",
    "for_not_followers": "accept",
    "for_new_accounts": "accept",
    "for_private_mentions": "filter",
    "for_limited_accounts": "filter",
}
# About one's own account, or for those who run the site: nobody's policy is asked.
EXEMPT: Final = frozenset({"poll", "update", "moderation_warning", "severed_relationships"})
ADMIN: Final = frozenset({"admin.sign_up", "admin.report"})
NEW_ACCOUNT_DAYS: Final = 30  # as Mastodon
NEW_FOLLOWER_DAYS: Final = 3  # as Mastodon: who follows only to be heard is no follower yet


@dataclass(frozen=True, slots=True)
class Sender:
    """How the one whom a notification comes from stands to the one who gets it."""

    is_followed: bool = False  # by the recipient
    is_follower: bool = False
    is_new: bool = False
    is_limited: bool = False  # silenced by a moderator
    is_staff: bool = False
    is_permitted: bool = False
    mentions_privately: bool = False  # in a direct post that answers nothing of the recipient's


def decide(choices: Mapping[str, Choice], sender: Sender) -> Choice:
    """The strictest of the answers to the questions that apply to `sender`."""
    if sender.is_permitted or sender.is_staff:
        return "accept"
    applies = {
        "for_not_following": not sender.is_followed,
        "for_not_followers": not sender.is_follower,
        "for_new_accounts": sender.is_new and not sender.is_followed,
        "for_private_mentions": sender.mentions_privately and not sender.is_followed,
        "for_limited_accounts": sender.is_limited and not sender.is_followed,
    }
    asked = {choices.get(question, DEFAULTS[question]) for question, holds in applies.items() if holds}
    if "drop" in asked:
        return "drop"
    return "filter" if "filter" in asked else "accept"
