"""The rules of the site (art. 14): written by the owner; decisions name them, also after they are gone."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select

from rostra.site.answers import forbidden, invalid, not_found
from rostra.site.database.tables.moderation import Rule
from rostra.site.moderation import log
from rostra.site.moderation.moderators import Moderator
from rostra.site.work import Work

TEXT_LENGTH_MAX: Final = 300  # as Mastodon's; what needs more goes into the hint
HINT_LENGTH_MAX: Final = 2000
_LANGUAGES_MAX: Final = 24
_RULES_MAX: Final = 50


async def in_order(work: Work) -> Sequence[Rule]:
    """Those that hold now."""
    query = select(Rule).where(Rule.deleted_at.is_(None)).order_by(Rule.position, Rule.id)
    return (await work.session.scalars(query)).all()


async def write(
    work: Work,
    by: Moderator,
    *,
    text: str,
    hint: str = "",
    translations: Mapping[str, Mapping[str, str]] | None = None,
    position: int | None = None,
    replaces: int | None = None,
) -> Rule:
    """A new rule; or another wording, which is a rule of its own: who broke the old one did not break the new."""
    _owner(by)
    if not text.strip() or len(text) > TEXT_LENGTH_MAX or len(hint) > HINT_LENGTH_MAX:
        raise invalid(
            f"Validation failed: A rule has 1 to {TEXT_LENGTH_MAX} characters, its hint {HINT_LENGTH_MAX}"
        )
    said = {
        language: {"text": each.get("text", "")[:TEXT_LENGTH_MAX], "hint": each.get("hint", "")[:HINT_LENGTH_MAX]}
        for language, each in list((translations or {}).items())[:_LANGUAGES_MAX]
        if each.get("text", "").strip()
    }
    last = await work.session.scalar(select(func.max(Rule.position)).where(Rule.deleted_at.is_(None)))
    if replaces is None and len(await in_order(work)) >= _RULES_MAX:
        raise invalid(f"Validation failed: There are {_RULES_MAX} rules already")
    if replaces is not None:
        old = await delete(work, by, replaces)
        position = old.position if position is None else position
    rule = Rule(
        id=work.make_id(),
        position=position if position is not None else (last or 0) + 1,
        text=text.strip(),
        hint=hint.strip(),
        translations=said,
    )
    work.session.add(rule)
    await log.append(work, "rule_written", {"rule": str(rule.id), **_words(rule)}, by=by.account_id)
    return rule


async def delete(work: Work, by: Moderator, rule_id: int) -> Rule:
    _owner(by)
    rule = await work.session.get(Rule, rule_id)
    if rule is None or rule.deleted_at is not None:
        raise not_found()
    rule.deleted_at = work.now
    await log.append(work, "rule_deleted", {"rule": str(rule.id)}, by=by.account_id)
    return rule


def _words(rule: Rule) -> dict[str, Any]:
    return {"text": rule.text, "hint": rule.hint}


def _owner(by: Moderator) -> None:
    if not by.owns:
        raise forbidden()
