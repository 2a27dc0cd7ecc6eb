"""What moderation adds to the site: its routes over the API, its pages, and its jobs."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from rostra.site.jobs import Handler
from rostra.site.mastodon.routes import admin_accounts, admin_reports, reports
from rostra.site.moderation import effects, mails, purge
from rostra.site.moderation.appeals import SEND_ANSWER
from rostra.site.moderation.pages import deciding, own, public, queue, records
from rostra.site.moderation.reports import SEND_OUTCOME, SEND_RECEIPT

MODERATION: Final[tuple[APIRouter, ...]] = (
    reports.router,
    admin_accounts.router,
    admin_reports.router,
    public.router,
    own.router,
    queue.router,
    deciding.router,
    records.router,
)
MODERATION_JOBS: Final[Mapping[str, Handler]] = {
    effects.END: effects.end,
    effects.EXPEL: effects.expel,
    effects.EXPIRE: effects.expire,
    effects.PURGE: purge.purge,
    effects.SEND_STATEMENT: mails.send_statement,
    SEND_RECEIPT: mails.send_receipt,
    SEND_OUTCOME: mails.send_outcome,
    SEND_ANSWER: mails.send_answer,
}
