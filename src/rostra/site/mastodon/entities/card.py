"""PreviewCard: what a linked page says of itself, or what we know of our own at this moment."""

from collections.abc import Iterable
from typing import Any

from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import select
from typing_extensions import TypedDict

from rostra.core.limits import CARD_DESCRIPTION_LENGTH_MAX
from rostra.site.database.tables.conversations import Conversation
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import PreviewCard, Status
from rostra.site.mastodon.entities.instants import written
from rostra.site.mastodon.entities.media import media_url
from rostra.site.moderation.restrictions import account_is, not_hidden
from rostra.site.settings import SiteSettings
from rostra.site.work import Work


class PreviewCardAuthorEntity(TypedDict):
    name: str
    url: str
    account: None


class PreviewCardEntity(TypedDict):
    url: str
    title: str
    description: str
    language: str
    type: str
    author_name: str
    author_url: str
    authors: list[PreviewCardAuthorEntity]
    provider_name: str
    provider_url: str
    html: str
    width: int
    height: int
    image: str | None
    image_description: str
    embed_url: str
    blurhash: str | None
    published_at: str | None
    missing_attribution: bool | None


async def preview_cards(work: Work, card_ids: Iterable[int | None]) -> dict[int, PreviewCardEntity]:
    """The cards of those ids. One of our own pages is as that page is now; without a card if it is not public."""
    wanted = {each for each in card_ids if each is not None}
    if not wanted:
        return {}
    rows = list(await work.session.scalars(select(PreviewCard).where(PreviewCard.id.in_(wanted))))
    posts = await _posts(work, {row.entity["status_id"] for row in rows if "status_id" in row.entity})
    talks = await _talks(work, {row.entity["conversation"] for row in rows if "conversation" in row.entity})
    entities: dict[int, PreviewCardEntity] = {}
    for row in rows:
        if "status_id" in row.entity:
            entity = posts.get(row.entity["status_id"])
        elif "conversation" in row.entity:
            entity = talks.get(row.entity["conversation"])
        else:
            entity = card(work.settings, row.image, **row.entity)
        if entity is not None:
            entities[row.id] = entity
    return entities


def card(settings: SiteSettings, image: str | None, *, url: str, **said: Any) -> PreviewCardEntity:
    """Every field is there: clients choke on one that is missing (microblog.md §4.3)."""
    author_name, author_url = said.get("author_name", ""), said.get("author_url", "")
    return PreviewCardEntity(
        url=url,
        title=said.get("title", ""),
        description=said.get("description", ""),
        language=said.get("language", ""),
        type=said.get("type", "link"),
        author_name=author_name,
        author_url=author_url,
        authors=[PreviewCardAuthorEntity(name=author_name, url=author_url, account=None)] if author_name else [],
        provider_name=said.get("provider_name", ""),
        provider_url=said.get("provider_url", ""),
        html=said.get("html", ""),
        width=said.get("width", 0),
        height=said.get("height", 0),
        image=media_url(settings, image),
        image_description=said.get("image_description", ""),
        embed_url=said.get("embed_url", ""),
        blurhash=said.get("blurhash"),
        published_at=said.get("published_at"),
        missing_attribution=None,
    )


async def _posts(work: Work, ids: set[int]) -> dict[int, PreviewCardEntity]:
    if not ids:
        return {}
    found = await work.session.execute(
        select(Status, Account)
        .join(Account, Account.id == Status.account_id)
        .where(
            Status.id.in_(ids),
            Status.visibility.in_(("public", "unlisted")),
            Status.deleted_at.is_(None),
            Account.deleted_at.is_(None),
            not_hidden(Status, work.now),
        )
    )
    return {
        status.id: card(
            work.settings,
            account.avatar,
            url=f"{work.settings.url}/@{account.username}/{status.id}",
            title=f"{account.display_name or account.username} (@{account.username}@{work.settings.domain})",
            description=status.spoiler_text or _text(status.content),
            language=status.language or "",
            author_name=account.display_name or account.username,
            author_url=f"{work.settings.url}/@{account.username}",
            provider_name=work.settings.title,
            provider_url=work.settings.url,
            published_at=written(status.created_at),
        )
        for status, account in found
    }


async def _talks(work: Work, names: set[str]) -> dict[str, PreviewCardEntity]:
    if not names:
        return {}
    found = await work.session.execute(
        select(Conversation, Account)
        .join(Account, Account.id == Conversation.host_id)
        .where(Conversation.name.in_(names), ~account_is("suspend", Conversation.host_id, work.now))
    )
    return {
        talk.name: card(
            work.settings,
            talk.picture,
            url=f"{work.settings.url}/conversations/{talk.name}",
            title=talk.title,
            description=talk.description[:CARD_DESCRIPTION_LENGTH_MAX],
            language=talk.language,
            author_name=host.display_name or host.username,
            author_url=f"{work.settings.url}/@{host.username}",
            provider_name=work.settings.title,
            provider_url=work.settings.url,
            image_description=talk.picture_description,
            published_at=written(talk.created_at),
        )
        for talk, host in found
    }


def _text(content: str) -> str:
    return " ".join(LexborHTMLParser(content).text(separator=" ").split())[:CARD_DESCRIPTION_LENGTH_MAX]
