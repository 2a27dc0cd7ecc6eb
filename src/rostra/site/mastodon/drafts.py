"""Drafts as clients send them: their fields read once, with what the author prefers where a field is absent."""

from datetime import UTC, datetime

from rostra.site.answers import invalid
from rostra.site.database.tables.people import User
from rostra.site.mastodon.body import Asked, Id
from rostra.site.posts.draft import Draft, PollDraft, is_language
from rostra.site.work import Work

DRAFT = {
    "status": str,
    "spoiler_text": str,
    "sensitive": bool,
    "visibility": str,
    "language": str,
    "in_reply_to_id": Id,
    "media_ids": [Id],
    "poll": {"options": [str], "expires_in": int, "multiple": bool, "hide_totals": bool},
}


async def read_draft(work: Work, asked: Asked, account_id: int, *, visibility: str = "") -> Draft:
    """RefusedError for what cannot be posted. `visibility` is that of a post that is edited."""
    user = await work.session.get(User, account_id)
    preferred = user.settings if user is not None else {}
    text, spoiler_text = asked.text("status"), asked.text("spoiler_text")
    if not text.strip() and spoiler_text:  # as Mastodon: a warning alone is the post
        text, spoiler_text = spoiler_text, ""
    sensitive = asked.optional_flag("sensitive")
    language = asked.text("language")
    return Draft(
        text=text,
        spoiler_text=spoiler_text,
        visibility=visibility or asked.text("visibility") or preferred.get("privacy", "public"),
        sensitive=bool(spoiler_text) or (preferred.get("sensitive", False) if sensitive is None else sensitive),
        language=language if is_language(language) else preferred.get("language") or None,
        in_reply_to_id=asked.optional_id("in_reply_to_id"),
        media_ids=tuple(dict.fromkeys(asked.ids("media_ids"))),
        poll=_poll(asked.nested("poll")),
    )


def _poll(asked: Asked) -> PollDraft | None:
    if "options" not in asked:
        return None
    return PollDraft(
        options=tuple(option for option in asked.texts("options") if option.strip()),
        lasts_s=asked.integer("expires_in"),
        multiple=asked.flag("multiple"),
        hide_totals=asked.flag("hide_totals"),
    )


def read_instant(asked: Asked, name: str) -> datetime | None:
    """An instant by ISO 8601, in UTC if it names no zone; None if it is absent. RefusedError if it is none."""
    text = asked.text(name)
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid("Record invalid") from error
