"""Barred providers of e-mail over Mastodon's admin API."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from typing_extensions import TypedDict

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.database.tables.people import EmailDomainBlock
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.instants import written
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.routes.admin_accounts import moderator
from rostra.site.moderation.moderators import Moderator
from rostra.site.people import barred
from rostra.site.snowflake import parse_snowflake

router = APIRouter(prefix="/api/v1/admin/email_domain_blocks", tags=["admin"])
Reader = Annotated[Moderator, moderator("admin:read:email_domain_blocks")]
Writer = Annotated[Moderator, moderator("admin:write:email_domain_blocks")]
_LIMIT: Final = 100
_LIMIT_MAX: Final = 200


class EmailDomainBlockEntity(TypedDict):
    id: str
    domain: str
    created_at: str
    history: list[Any]
    allow_with_approval: bool


@router.get("", response_model=list[EmailDomainBlockEntity])
async def show_all(request: Request, site: TheSite, asked: Paged, _by: Reader) -> Json:
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    async with site.reading() as work:
        rows = await barred.blocks(work, page)
    headers = links(request, site.settings.url, page, [row.id for row in rows])
    return Json([_entity(row) for row in rows], headers=headers)


@router.get("/{block_id}", response_model=EmailDomainBlockEntity)
async def show(site: TheSite, block_id: str, _by: Reader) -> Json:
    async with site.reading() as work:
        return Json(_entity(await barred.block(work, parse_snowflake(block_id) or -1)))


@router.post("", response_model=EmailDomainBlockEntity)
async def bar(site: TheSite, asked: Annotated[Asked, asks(domain=str)], by: Writer) -> Json:
    async with site.writing() as work:
        row = await barred.bar(work, by, asked.text("domain"))
    return Json(_entity(row))


@router.delete("/{block_id}")
async def unbar(site: TheSite, block_id: str, by: Writer) -> Json:
    async with site.writing() as work:
        await barred.unbar(work, by, parse_snowflake(block_id) or -1)
    return Json({})


def _entity(row: EmailDomainBlock) -> EmailDomainBlockEntity:
    return EmailDomainBlockEntity(
        id=str(row.id), domain=row.domain, created_at=written(row.created_at), history=[], allow_with_approval=False
    )
