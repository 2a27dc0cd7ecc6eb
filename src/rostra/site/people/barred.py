"""Providers of e-mail from which nobody may join: those that spammers make addresses at."""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from rostra.site.answers import invalid, not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.people import EmailDomainBlock
from rostra.site.mastodon.paging import Page
from rostra.site.moderation import log
from rostra.site.moderation.moderators import Moderator
from rostra.site.work import Work

_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


async def blocks(work: Work, page: Page) -> Sequence[EmailDomainBlock]:
    query = select(EmailDomainBlock)
    return page.ordered((await work.session.scalars(page.of(query, EmailDomainBlock.id))).all())


async def block(work: Work, block_id: int) -> EmailDomainBlock:
    """RefusedError (404) if there is none."""
    found = await work.session.get(EmailDomainBlock, block_id)
    if found is None:
        raise not_found()
    return found


async def bar(work: Work, by: Moderator, domain: str) -> EmailDomainBlock:
    """RefusedError (422) for what is no domain, or is barred already."""
    name = domain.strip().lower().removeprefix("@")
    if len(name) > 253 or not _DOMAIN.fullmatch(name):
        raise invalid("Validation failed: Domain is not a valid domain name")
    block_id = work.make_id()
    if not await insert_once(work.session, EmailDomainBlock, id=block_id, domain=name, created_at=work.now):
        raise invalid("Validation failed: Domain has already been taken")
    await log.append(work, "email_domain_barred", {"domain": name}, by=by.account_id)
    return await block(work, block_id)


async def unbar(work: Work, by: Moderator, block_id: int) -> None:
    gone = await block(work, block_id)
    await work.session.delete(gone)
    await log.append(work, "email_domain_unbarred", {"domain": gone.domain}, by=by.account_id)


async def is_barred(work: Work, email: str) -> bool:
    """Whether an address is at a barred domain, or at one beneath it."""
    labels = email.rpartition("@")[2].lower().split(".")
    domains = [".".join(labels[n:]) for n in range(len(labels))]
    query = select(EmailDomainBlock.id).where(EmailDomainBlock.domain.in_(domains)).limit(1)
    return await work.session.scalar(query) is not None
