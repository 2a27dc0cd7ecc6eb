"""What the site is made of: the routers and the jobs of all its parts."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from rostra.site.jobs import Handler
from rostra.site.mastodon.routes import accounts

ROUTERS: Final[tuple[APIRouter, ...]] = (accounts.router,)
HANDLERS: Final[Mapping[str, Handler]] = {}
