"""Who comes to the pages of moderators, and what they post there."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from rostra.site.answers import forbidden
from rostra.site.mastodon.body import Asked
from rostra.site.moderation.moderators import Moderator
from rostra.site.moderation.restrictions import CLOSED, in_force
from rostra.site.pages.browser import Browser, Member, MembersForm


@dataclass(frozen=True, slots=True)
class Desk:
    """A moderator in a browser."""

    browser: Browser
    moderator: Moderator


@dataclass(frozen=True, slots=True)
class DeskForm:
    """What a moderator has posted."""

    browser: Browser
    moderator: Moderator
    asked: Asked


async def the_desk(browser: Member) -> Desk:
    """RefusedError (403) for members, and for a moderator who is suspended."""
    async with browser.site.reading() as work:
        if (await in_force(work, "account", [browser.account_id]))[browser.account_id] & CLOSED:
            raise forbidden()
    return Desk(browser, Moderator(browser.account_id, browser.me.viewer.role))


async def the_desk_form(form: MembersForm) -> DeskForm:
    desk = await the_desk(form.browser)
    return DeskForm(form.browser, desk.moderator, form.asked)


AtDesk = Annotated[Desk, Depends(the_desk)]
FromDesk = Annotated[DeskForm, Depends(the_desk_form)]
