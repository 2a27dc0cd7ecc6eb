"""Accounts as others see them: by id, by name, many at once, and how one stands to them."""

from typing import Annotated

from fastapi import APIRouter, Depends

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Body
from rostra.site.mastodon.entities.account import (
    AccountEntity,
    CredentialAccountEntity,
    accounts,
    credential_account,
)
from rostra.site.mastodon.entities.relationship import RelationshipEntity, relationships
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.people import lookup
from rostra.site.snowflake import parse_snowflake

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
_IDS_MAX = 40


@router.get("/verify_credentials", response_model=CredentialAccountEntity)
async def verify_credentials(
    site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("profile", "read:accounts"))]
) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, viewer.account_id)
        return Json(await credential_account(work, account, await lookup.user(work, viewer.account_id)))


@router.get("/lookup", response_model=AccountEntity)
async def look_up(site: TheSite, asked: Body) -> Json:
    async with site.reading() as work:
        (entity,) = await accounts(work, [await lookup.by_acct(work, asked.text("acct"))])
        return Json(entity)


@router.get("/relationships", response_model=list[RelationshipEntity])
async def relate(site: TheSite, asked: Body, viewer: Annotated[Viewer, Depends(signed_in("read:follows"))]) -> Json:
    async with site.reading() as work:
        found = await lookup.accounts(work, asked.ids("id")[:_IDS_MAX])
        return Json(await relationships(work, viewer.account_id, [row.id for row in found]))


@router.get("/{account_id}", response_model=AccountEntity)
async def show(site: TheSite, account_id: str) -> Json:
    async with site.reading() as work:
        (entity,) = await accounts(work, [await lookup.account(work, parse_snowflake(account_id) or -1)])
        return Json(entity)


@router.get("", response_model=list[AccountEntity])
async def show_many(site: TheSite, asked: Body) -> Json:
    async with site.reading() as work:
        found = await lookup.accounts(work, asked.ids("id")[:_IDS_MAX])
        return Json(await accounts(work, found))
