"""What somebody wants to post. A draft that exists is one that may be posted: its making refuses the rest."""

import re
from datetime import timedelta
from typing import Final

import grapheme
import msgspec

from rostra.core.limits import (
    MEDIA_ATTACHMENTS_MAX,
    POLL_OPTION_LENGTH_MAX,
    POLL_OPTIONS_MAX,
    POST_CODE_POINTS_MAX,
    POST_LENGTH_MAX,
)
from rostra.site.answers import invalid
from rostra.site.posts.text import length

VISIBILITIES: Final = ("public", "unlisted", "private", "direct")
POLL_LASTS_MIN: Final = timedelta(minutes=5)
POLL_LASTS_MAX: Final = timedelta(days=30)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")


class PollDraft(msgspec.Struct, frozen=True, kw_only=True):
    options: tuple[str, ...]
    lasts_s: int
    multiple: bool = False
    hide_totals: bool = False

    def __post_init__(self) -> None:
        if any(not option.strip() for option in self.options):
            raise invalid("Validation failed: Options can't be blank")
        if len(self.options) < 2:
            raise invalid("Validation failed: Options must have more than one item")
        if len(self.options) > POLL_OPTIONS_MAX:
            raise invalid(f"Validation failed: Options can't contain more than {POLL_OPTIONS_MAX} items")
        if any(not _fits(option, POLL_OPTION_LENGTH_MAX) for option in self.options):
            raise invalid(
                f"Validation failed: Options can't be longer than {POLL_OPTION_LENGTH_MAX} characters each"
            )
        if len(set(self.options)) < len(self.options):
            raise invalid("Validation failed: Options contain duplicate items")
        if self.lasts_s < POLL_LASTS_MIN.total_seconds():
            raise invalid("Validation failed: Expires at is too soon")
        if self.lasts_s > POLL_LASTS_MAX.total_seconds():
            raise invalid("Validation failed: Expires at is too far into the future")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    spoiler_text: str = ""
    visibility: str = "public"
    sensitive: bool = False
    language: str | None = None
    in_reply_to_id: int | None = None
    media_ids: tuple[int, ...] = ()
    poll: PollDraft | None = None

    def __post_init__(self) -> None:
        if self.visibility not in VISIBILITIES:
            raise invalid("Validation failed: Visibility is not included in the list")
        if not self.text.strip() and not self.media_ids:
            raise invalid("Validation failed: Text can't be blank")
        if (
            len(self.text) + len(self.spoiler_text) > POST_CODE_POINTS_MAX
            or length(self.text) + grapheme.length(self.spoiler_text) > POST_LENGTH_MAX
        ):
            raise invalid(f"Validation failed: Text character limit of {POST_LENGTH_MAX} exceeded")
        if self.language is not None and not is_language(self.language):
            raise invalid("Validation failed: Language is no language code")
        if len(self.media_ids) > MEDIA_ATTACHMENTS_MAX:
            raise invalid(f"Validation failed: Cannot attach more than {MEDIA_ATTACHMENTS_MAX} files")


def is_language(code: str) -> bool:
    """Whether `code` has the form of a language's code (ISO 639, with a script or region at most)."""
    return _LANGUAGE.fullmatch(code) is not None


def _fits(text: str, length_max: int) -> bool:
    return len(text) <= POST_CODE_POINTS_MAX and grapheme.length(text) <= length_max
