"""What moderators and people do, for the tests: posts, reports, decisions, and the letters they get."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from rostra.site.database.tables.moderation import Decision, Report
from rostra.site.database.tables.posts import Status
from rostra.site.moderation import decisions, reports, targets
from rostra.site.moderation.decisions import Verdict
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.reasons import Reasons
from site_kit import Kit

REASONS = Reasons(
    ground="terms",
    legal_ground="Rule 1: be kind",
    explanation="The posts insult other people, which rule 1 forbids.",
    facts="Three posts called another person a liar and a thief.",
)


async def post(kit: Kit, account_id: int, text: str = "Hello", visibility: str = "public") -> int:
    async with kit.site.writing() as work:
        status_id = work.make_id()
        row = Status(
            id=status_id,
            account_id=account_id,
            text=text,
            content=f"<p>{text}</p>",
            visibility=visibility,
            thread_id=status_id,
            created_at=work.now,
        )
        work.session.add(row)
        return status_id


async def decide(
    kit: Kit,
    by: int,
    action: str,
    account_id: int,
    *,
    status_ids: tuple[int, ...] = (),
    role: str = "moderator",
    **values: Any,
) -> Decision:
    async with kit.site.writing() as work:
        if status_ids:
            about = await targets.of_statuses(work, status_ids)
        else:
            found = await targets.of_account(work, account_id)
            assert found is not None
            about = [found]
        given = {"reasons": REASONS, **values}
        verdict = Verdict(action=action, account_id=account_id, targets=tuple(about), **given)
        return await decisions.decide(work, Moderator(by, role), verdict)


async def lift(kit: Kit, by: int, account_id: int, kind: str) -> Decision:
    async with kit.site.writing() as work:
        found = await decisions.open_restrictions(work, "account", account_id, [kind])
        return await decisions.lift(work, Moderator(by, "moderator"), found, "It was a mistake.")


async def report(kit: Kit, by: int, account_id: int, status_ids: tuple[int, ...] = ()) -> Report:
    async with kit.site.writing() as work:
        found = await targets.of_account(work, account_id)
        assert found is not None
        about = await targets.of_statuses(work, status_ids) if status_ids else [found]
        return await reports.report(
            work, reports.Notifier(by, source="user"), about, category="spam", comment="Look at this"
        )


def letters(folder: Path) -> list[tuple[str, str, str]]:
    """Subject, reader and words of every letter that was sent, the oldest first."""
    found = []
    for file in sorted(folder.glob("*.eml")):
        letter = message_from_bytes(file.read_bytes(), policy=default)
        assert isinstance(letter, EmailMessage)
        words = letter.get_body(("plain",))
        assert words is not None
        found.append((str(letter["Subject"]), str(letter["To"]), words.get_content()))
    return found
