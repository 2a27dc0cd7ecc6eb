"""The routes of who there is: the instance, applications, accounts, and who has to do with whom."""

from typing import Final

from fastapi import APIRouter

from rostra.site.mastodon.routes import (
    accounts,
    admin_email_domains,
    apps,
    discovery,
    domain_blocks,
    emails,
    instance,
    profile,
    relations,
)

PEOPLE: Final[tuple[APIRouter, ...]] = (
    instance.router,
    apps.router,
    emails.router,
    profile.router,  # before accounts.router, which takes any word for an id
    relations.router,
    accounts.router,
    discovery.router,
    domain_blocks.router,
    admin_email_domains.router,
)
