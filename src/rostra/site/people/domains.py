"""The servers of which somebody wants to see nothing: kept for clients that import and export them."""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select

from rostra.site.answers import invalid
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.graph import DomainBlock
from rostra.site.mastodon.paging import Page
from rostra.site.work import Work

_DOMAIN: Final = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


async def blocked(work: Work, account_id: int, page: Page) -> Sequence[DomainBlock]:
    query = select(DomainBlock).where(DomainBlock.account_id == account_id)
    return page.ordered((await work.session.scalars(page.of(query, DomainBlock.id.expression))).all())


async def block(work: Work, account_id: int, domain: str) -> None:
    """RefusedError (422) for what is no name of a server."""
    name = domain.strip().lower()
    if len(name) > 253 or not _DOMAIN.fullmatch(name):
        raise invalid("Validation failed: Domain is not a valid domain name")
    await insert_once(work.session, DomainBlock, id=work.make_id(), account_id=account_id, domain=name)


async def unblock(work: Work, account_id: int, domain: str) -> None:
    name = domain.strip().lower()
    await work.session.execute(
        delete(DomainBlock).where(DomainBlock.account_id == account_id, DomainBlock.domain == name)
    )
