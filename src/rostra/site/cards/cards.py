"""Gives posts their cards: one that is known at once, one of our own pages without asking, others by a job."""

import asyncio
import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import select

from rostra.core.errors import BadInputError
from rostra.core.limits import CARD_KEPT_S, CARD_PAGE_BYTES_MAX, CARD_PICTURE_BYTES_MAX
from rostra.site.cards.page import Page, decoded, first_link, read, with_oembed
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.conversations import Conversation
from rostra.site.database.tables.posts import PreviewCard, Status
from rostra.site.events import StatusEdited
from rostra.site.mastodon.entities.instants import written
from rostra.site.media.pictures import PREVIEW, Picture, remake
from rostra.site.media.store import Store
from rostra.site.outbound import UnreachableError
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Site, Work

_log = structlog.get_logger()
_OWN_POST: Final = re.compile(r"/@[\w.]+/(\d+)")
_OWN_CONVERSATION: Final = re.compile(r"/conversations/([\w.~-]+)")
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


async def give_card(work: Work, status: Status) -> None:
    """Call when a post is written or edited: it gets the card of its first link, now or by a job."""
    url = first_link(status.content)
    if url is None:
        status.card_id = None
        return
    known = await _known(work, url)
    if known is None and url.startswith(f"{work.settings.url}/"):
        known = await _own(work, url)
    status.card_id = None if known is None else known.id
    is_own = url.startswith(f"{work.settings.url}/")
    if not is_own and (known is None or known.fetched_at < work.now - timedelta(seconds=CARD_KEPT_S)):
        work.later("cards.fetch", {"status_id": status.id, "url": url})


async def fetch(site: Site, payload: dict[str, Any]) -> None:
    """`cards.fetch`: ask the page, unless another post did meanwhile, and show the card with the post."""
    url: str = payload["url"]
    async with site.reading() as work:
        known = await _known(work, url)
        is_fresh = known is not None and known.fetched_at >= work.now - timedelta(seconds=CARD_KEPT_S)
    if not is_fresh:
        try:
            page = await _asked(site, url)
        except UnreachableError as error:
            _log.info("card.unreachable", url=url, error=str(error))
            return
        if page is None:
            return
        picture = await _picture(site, page)
        await _keep(site, url, page, picture)
    async with site.writing() as work:
        known = await _known(work, url)
        status = await work.session.get(Status, payload["status_id"])
        if known is None or status is None or first_link(status.content) != url:
            return  # edited or deleted meanwhile
        status.card_id = known.id
        work.tell(StatusEdited(status.id, status.account_id))


async def _known(work: Work, url: str) -> PreviewCard | None:
    found: PreviewCard | None = await work.session.scalar(
        select(PreviewCard).where(PreviewCard.url_hash == _key(url))
    )
    return found


async def _own(work: Work, url: str) -> PreviewCard | None:
    """The card of a page of ours; it keeps only which, so that it shows what may be shown when it is read."""
    path = url.removeprefix(work.settings.url).partition("?")[0].partition("#")[0]
    post, talk = _OWN_POST.fullmatch(path), _OWN_CONVERSATION.fullmatch(path)
    status_id = parse_snowflake(post[1]) if post else None
    entity: dict[str, Any]
    if status_id is not None and await work.session.get(Status, status_id) is not None:
        entity = {"status_id": status_id}
    elif talk and await work.session.scalar(select(Conversation.id).where(Conversation.name == talk[1])):
        entity = {"conversation": talk[1]}
    else:
        return None
    await insert_once(
        work.session,
        PreviewCard,
        id=work.make_id(),
        url=url,
        url_hash=_key(url),
        entity=entity,
        fetched_at=work.now,
    )
    return await _known(work, url)


async def _asked(site: Site, url: str) -> Page | None:
    answer = await site.outbound.get(url, bytes_max=CARD_PAGE_BYTES_MAX, accept="text/html, application/xhtml+xml")
    if answer.status != 200 or answer.content_type not in _HTML:
        return None
    page = read(decoded(answer.body, answer.charset), answer.url)
    if page is None or not page.oembed_url:
        return page
    try:
        said = await site.outbound.get(page.oembed_url, bytes_max=CARD_PAGE_BYTES_MAX, accept="application/json")
        parsed = orjson.loads(said.body)
    except (UnreachableError, orjson.JSONDecodeError) as error:
        _log.info("card.oembed_unreadable", url=url, error=str(error))
        return page
    return with_oembed(page, parsed) if isinstance(parsed, dict) else page


async def _picture(site: Site, page: Page) -> Picture | None:
    if not page.picture_url:
        return None
    try:
        answer = await site.outbound.get(page.picture_url, bytes_max=CARD_PICTURE_BYTES_MAX, accept="image/*")
        if answer.status != 200 or not answer.is_whole:
            return None
        with Store(site.settings.media).draft() as draft:
            await asyncio.to_thread(draft.write_bytes, answer.body)
            return await remake(site, draft, (PREVIEW,))
    except (UnreachableError, BadInputError) as error:
        _log.info("card.no_picture", url=page.picture_url, error=str(error))
        return None


async def _keep(site: Site, url: str, page: Page, picture: Picture | None) -> None:
    copy = None if picture is None else picture.copies[0]
    entity = {
        "url": page.url,
        "title": page.title,
        "description": page.description,
        "language": page.language,
        "type": page.kind,
        "author_name": page.author_name,
        "author_url": page.author_url,
        "provider_name": page.provider_name,
        "provider_url": page.provider_url,
        "html": page.html,
        "width": page.width or (copy.width if copy else 0),
        "height": page.height or (copy.height if copy else 0),
        "image_description": page.picture_description,
        "embed_url": page.embed_url,
        "blurhash": None if picture is None else picture.blurhash,
        "published_at": _instant(page.published_at),
    }
    async with site.writing() as work:
        known = await _known(work, url)
        old = None if known is None else known.image
        if known is None:
            known = PreviewCard(id=work.make_id(), url=url, url_hash=_key(url))
            work.session.add(known)
        known.entity, known.image, known.fetched_at = entity, copy.name if copy else None, work.now
    Store(site.settings.media).remove(old)


def _instant(text: str | None) -> str | None:
    try:
        parsed = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return written(parsed) if parsed.tzinfo else None


def _key(url: str) -> str:
    return sha256(url.encode()).hexdigest()
