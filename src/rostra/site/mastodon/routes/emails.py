"""The letter that confirms an address, asked for again by the application through which somebody joined."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter

from rostra.site.answers import Json, RefusedError, forbidden, invalid
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.oauth.bearer import AnApp, Bearer
from rostra.site.people import links, lookup
from rostra.site.people.registration import change_unconfirmed, email_problems

router = APIRouter(prefix="/api/v1/emails", tags=["emails"])


@router.post("/confirmations")
async def send_again(site: TheSite, bearer: AnApp, asked: Annotated[Asked, asks(email=str)]) -> Json:
    """To a new address, if one is given."""
    account_id, email = _whose(bearer), asked.text("email").strip()
    if email and email_problems(email):
        raise invalid("Validation failed: Email is invalid")
    async with site.writing() as work:
        user = await lookup.user(work, account_id)
        if user.created_by_app_id != bearer.app_id:
            raise forbidden("This method is only available to the application the user originally signed-up with")
        if user.confirmed_at is not None:
            raise forbidden("This method is only available while the e-mail is awaiting confirmation")
        if email and not await change_unconfirmed(work, user, email):
            raise invalid("Validation failed: Email has already been taken")
        await links.send_confirmation(work, user, await lookup.account(work, account_id))
    return Json({})


@router.get("/check_confirmation", response_model=bool)
async def check(site: TheSite, bearer: AnApp) -> Json:
    async with site.reading() as work:
        return Json((await lookup.user(work, _whose(bearer))).confirmed_at is not None)


def _whose(bearer: Bearer) -> int:
    if bearer.account_id is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "This method requires an authenticated user")
    return bearer.account_id
