"""The routers of all pages."""

from typing import Final

from fastapi import APIRouter

from rostra.site.conversations import pages as conversations
from rostra.site.pages import (
    about,
    account_settings,
    attention,
    consent,
    embeds,
    entrance,
    finding,
    furniture,
    joining,
    overview,
    owner,
    people,
    profile_settings,
    reading,
    security,
    team,
    writing,
)

# The first that fits an address answers it: /@ann.rss and /@ann/followers before /@ann and /@ann/1.
PAGES: Final[tuple[APIRouter, ...]] = (
    furniture.router,
    conversations.router,
    entrance.router,
    consent.router,
    owner.router,
    joining.router,
    about.router,
    account_settings.router,
    profile_settings.router,
    security.router,
    team.router,
    overview.router,
    attention.router,
    finding.router,
    writing.router,
    embeds.router,
    people.router,
    reading.router,
)
