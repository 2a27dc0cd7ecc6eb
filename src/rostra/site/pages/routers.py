"""The routers of all pages."""

from typing import Final

from fastapi import APIRouter

from rostra.site.conversations import pages as conversations
from rostra.site.pages import consent, entrance, front, furniture, security

PAGES: Final[tuple[APIRouter, ...]] = (
    furniture.router,
    front.router,
    conversations.router,
    entrance.router,
    consent.router,
    security.router,
)
