"""The routers of all pages."""

from typing import Final

from fastapi import APIRouter

from rostra.site.conversations import pages as conversations
from rostra.site.pages import account_settings, consent, entrance, front, furniture, joining, owner, security

PAGES: Final[tuple[APIRouter, ...]] = (
    furniture.router,
    front.router,
    conversations.router,
    entrance.router,
    consent.router,
    owner.router,
    joining.router,
    account_settings.router,
    security.router,
)
