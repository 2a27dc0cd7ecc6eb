"""Letters from authorities (arts. 9 and 10, or a warning): what they wrote, what we replied, what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from rostra.site.answers import invalid, not_found
from rostra.site.database.tables.moderation import AuthorityLetter, Decision
from rostra.site.moderation import log
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.statement import COUNTRIES
from rostra.site.work import Work

KINDS: Final = ("order", "information", "warning")  # art. 9, art. 10, neither
TEXT_LENGTH_MAX: Final = 50_000
_SHORT_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    authority: str
    kind: str
    text: str
    received_at: datetime
    country: str = ""
    reference: str = ""
    conversation_id: int | None = None
    public: bool = True


async def record(work: Work, by: Moderator, letter: Letter) -> AuthorityLetter:
    if not 0 < len(letter.authority.strip()) <= _SHORT_MAX or len(letter.reference) > _SHORT_MAX:
        raise invalid(f"Validation failed: Authority and reference have at most {_SHORT_MAX} characters")
    if letter.kind not in KINDS:
        raise invalid("Validation failed: Kind is not included in the list")
    if letter.country and letter.country not in COUNTRIES:
        raise invalid("Validation failed: Country is not included in the list")
    if not 0 < len(letter.text.strip()) <= TEXT_LENGTH_MAX:
        raise invalid(f"Validation failed: Text has 1 to {TEXT_LENGTH_MAX} characters")
    if letter.received_at > work.now:
        raise invalid("Validation failed: Nothing is received in the future")
    row = AuthorityLetter(
        id=work.make_id(),
        authority=letter.authority.strip(),
        country=letter.country,
        kind=letter.kind,
        reference=letter.reference.strip(),
        received_at=letter.received_at,
        text=letter.text,
        conversation_id=letter.conversation_id,
        public=letter.public,
        recorded_by_id=by.account_id,
    )
    work.session.add(row)
    subject = {"letter": str(row.id), "sealed": log.hash_of([row.authority, row.kind, row.reference, row.text])}
    await log.append(work, "letter_received", subject, by=by.account_id)
    return row


async def reply(
    work: Work, by: Moderator, letter_id: int, *, reply: str, effect: str, decision_id: int | None = None
) -> AuthorityLetter:
    """Write down what was answered and done. Later replies are added below: none is written over."""
    if not reply.strip() or len(reply) > TEXT_LENGTH_MAX or len(effect) > TEXT_LENGTH_MAX:
        raise invalid(f"Validation failed: A reply has 1 to {TEXT_LENGTH_MAX} characters")
    row = await find(work, letter_id)
    if decision_id is not None and await work.session.get(Decision, decision_id) is None:
        raise not_found()
    row.reply = f"{row.reply}\n\n{reply}".strip()
    row.effect = f"{row.effect}\n\n{effect}".strip()
    row.replied_at = work.now
    row.decision_id = decision_id or row.decision_id
    subject = {"letter": str(row.id), "sealed": log.hash_of([reply, effect])}
    await log.append(work, "letter_answered", subject, by=by.account_id)
    return row


async def find(work: Work, letter_id: int) -> AuthorityLetter:
    found = await work.session.get(AuthorityLetter, letter_id)
    if found is None:
        raise not_found()
    return found


async def all_of_them(work: Work, *, only_public: bool) -> Sequence[AuthorityLetter]:
    """The newest first."""
    query = select(AuthorityLetter).order_by(AuthorityLetter.received_at.desc(), AuthorityLetter.id.desc())
    return (await work.session.scalars(query.where(AuthorityLetter.public) if only_public else query)).all()
