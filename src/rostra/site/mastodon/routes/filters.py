"""Filters over Mastodon's API, in its second version and its first, where each keyword is a filter."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from rostra.site.answers import Json, invalid
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.filter import (
    FilterEntity,
    FilterKeywordEntity,
    FilterStatusEntity,
    FilterV1Entity,
    filter_entity,
    filter_status_entity,
    filter_v1_entity,
    keyword_entity,
)
from rostra.site.mastodon.routes.statuses import id_of
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.timelines import filters
from rostra.site.timelines.filters import Keyword
from rostra.site.work import Site, Work

router = APIRouter(prefix="/api", tags=["filters"])
_Reader = Annotated[Viewer, Depends(signed_in("read:filters"))]
_Writer = Annotated[Viewer, Depends(signed_in("write:filters"))]
_YEARS_MAX_S = 100 * 365 * 24 * 3600  # a moment that a clock can still hold
_KEYWORD = {"keyword": str, "whole_word": bool}
_Keyword = Annotated[Asked, asks(_KEYWORD)]
_Filter = Annotated[
    Asked,
    asks(
        title=str,
        context=[str],
        filter_action=str,
        expires_in=int,
        keywords_attributes=[_KEYWORD | {"id": Id, "_destroy": bool}],
    ),
]
_FilterV1 = Annotated[Asked, asks(phrase=str, context=[str], irreversible=bool, whole_word=bool, expires_in=int)]


def _expiry(work: Work, asked: Asked) -> Mapping[str, datetime | None] | None:
    """When it expires, by `expires_in`: empty if that is absent; never, if it is null, empty or 0."""
    if "expires_in" not in asked:
        return None
    seconds = asked.integer("expires_in")
    if not 0 <= seconds <= _YEARS_MAX_S:
        raise invalid("Validation failed: Expires in is no number of seconds that can be")
    return {"at": work.now + timedelta(seconds=seconds) if seconds else None}


def _keywords(asked: Asked) -> list[Keyword]:
    return [
        Keyword(
            each.optional_id("id"),
            each.optional_text("keyword"),
            each.optional_flag("whole_word"),
            remove=each.flag("_destroy"),
        )
        for each in asked.items("keywords_attributes")
    ]


def _contexts(asked: Asked) -> list[str] | None:
    return asked.texts("context") if "context" in asked else None


@router.get("/v2/filters", response_model=list[FilterEntity])
async def show_all(site: TheSite, viewer: _Reader) -> Json:
    async with site.reading() as work:
        return Json([filter_entity(each) for each in await filters.filters(work, viewer.account_id)])


@router.post("/v2/filters", response_model=FilterEntity)
async def create(
    site: TheSite,
    asked: _Filter,
    viewer: _Writer,
) -> Json:
    async with site.writing() as work:
        expiry = _expiry(work, asked)
        whole = await filters.create(
            work,
            viewer.account_id,
            title=asked.text("title"),
            contexts=_contexts(asked) or [],
            action=asked.text("filter_action") or "warn",
            expires_at=expiry["at"] if expiry else None,
            keywords=_keywords(asked),
        )
    return Json(filter_entity(whole))


@router.get("/v2/filters/{filter_id}", response_model=FilterEntity)
async def show(site: TheSite, filter_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        return Json(filter_entity(await filters.the_filter(work, viewer.account_id, id_of(filter_id))))


@router.put("/v2/filters/{filter_id}", response_model=FilterEntity)
async def change(
    site: TheSite,
    filter_id: str,
    asked: _Filter,
    viewer: _Writer,
) -> Json:
    async with site.writing() as work:
        whole = await filters.change(
            work,
            viewer.account_id,
            id_of(filter_id),
            title=asked.optional_text("title"),
            contexts=_contexts(asked),
            action=asked.optional_text("filter_action"),
            expires_at=_expiry(work, asked),
            keywords=_keywords(asked),
        )
    return Json(filter_entity(whole))


@router.delete("/v2/filters/{filter_id}", response_model=dict[str, str])
async def remove(site: TheSite, filter_id: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        await filters.remove(work, viewer.account_id, id_of(filter_id))
    return Json({})


# --- their keywords and posts ------------------------------------------------------------------------------


@router.get("/v2/filters/{filter_id}/keywords", response_model=list[FilterKeywordEntity])
async def show_keywords(site: TheSite, filter_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        whole = await filters.the_filter(work, viewer.account_id, id_of(filter_id))
        return Json([keyword_entity(each) for each in whole.keywords])


@router.post("/v2/filters/{filter_id}/keywords", response_model=FilterKeywordEntity)
async def add_keyword(site: TheSite, filter_id: str, asked: _Keyword, viewer: _Writer) -> Json:
    new = Keyword(None, asked.text("keyword"), asked.optional_flag("whole_word"))
    async with site.writing() as work:
        whole = await filters.set_keywords(work, viewer.account_id, id_of(filter_id), [new])
    return Json(keyword_entity(whole.keywords[-1]))


@router.get("/v2/filters/keywords/{keyword_id}", response_model=FilterKeywordEntity)
async def show_keyword(site: TheSite, keyword_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        return Json(keyword_entity((await filters.the_keyword(work, viewer.account_id, id_of(keyword_id)))[1]))


@router.put("/v2/filters/keywords/{keyword_id}", response_model=FilterKeywordEntity)
async def change_keyword(site: TheSite, keyword_id: str, asked: _Keyword, viewer: _Writer) -> Json:
    async with site.writing() as work:
        row, keyword = await filters.the_keyword(work, viewer.account_id, id_of(keyword_id))
        new = Keyword(keyword.id, asked.optional_text("keyword"), asked.optional_flag("whole_word"))
        await filters.set_keywords(work, viewer.account_id, row.id, [new])
    return Json(keyword_entity(keyword))


@router.delete("/v2/filters/keywords/{keyword_id}", response_model=dict[str, str])
async def remove_keyword(site: TheSite, keyword_id: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        row, keyword = await filters.the_keyword(work, viewer.account_id, id_of(keyword_id))
        gone = Keyword(keyword.id, None, None, remove=True)
        await filters.set_keywords(work, viewer.account_id, row.id, [gone])
    return Json({})


@router.get("/v2/filters/{filter_id}/statuses", response_model=list[FilterStatusEntity])
async def show_statuses(site: TheSite, filter_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        whole = await filters.the_filter(work, viewer.account_id, id_of(filter_id))
        return Json([filter_status_entity(each) for each in whole.statuses])


@router.post("/v2/filters/{filter_id}/statuses", response_model=FilterStatusEntity)
async def add_status(
    site: TheSite, filter_id: str, asked: Annotated[Asked, asks(status_id=Id)], viewer: _Writer
) -> Json:
    status_id = asked.optional_id("status_id") or -1
    async with site.writing() as work:
        row = await filters.add_status(work, viewer.account_id, id_of(filter_id), status_id)
    return Json(filter_status_entity(row))


@router.get("/v2/filters/statuses/{filter_status_id}", response_model=FilterStatusEntity)
async def show_status(site: TheSite, filter_status_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        row = await filters.the_filter_status(work, viewer.account_id, id_of(filter_status_id))
        return Json(filter_status_entity(row))


@router.delete("/v2/filters/statuses/{filter_status_id}", response_model=dict[str, str])
async def remove_status(site: TheSite, filter_status_id: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        await filters.remove_status(work, viewer.account_id, id_of(filter_status_id))
    return Json({})


# --- the first version -------------------------------------------------------------------------------------


@router.get("/v1/filters", response_model=list[FilterV1Entity])
async def show_all_v1(site: TheSite, viewer: _Reader) -> Json:
    async with site.reading() as work:
        found = await filters.filters(work, viewer.account_id)
        return Json([filter_v1_entity(each.row, keyword) for each in found for keyword in each.keywords])


@router.post("/v1/filters", response_model=FilterV1Entity)
async def create_v1(
    site: TheSite,
    asked: _FilterV1,
    viewer: _Writer,
) -> Json:
    phrase = asked.text("phrase")
    async with site.writing() as work:
        expiry = _expiry(work, asked)
        whole = await filters.create(
            work,
            viewer.account_id,
            title=phrase[:200],
            contexts=_contexts(asked) or [],
            action="hide" if asked.flag("irreversible") else "warn",
            expires_at=expiry["at"] if expiry else None,
            keywords=[Keyword(None, phrase, asked.flag("whole_word", default=True))],
        )
    return Json(filter_v1_entity(whole.row, whole.keywords[0]))


@router.get("/v1/filters/{keyword_id}", response_model=FilterV1Entity)
async def show_v1(site: TheSite, keyword_id: str, viewer: _Reader) -> Json:
    return await _answer_v1(site, id_of(keyword_id), viewer)


@router.put("/v1/filters/{keyword_id}", response_model=FilterV1Entity)
async def change_v1(
    site: TheSite,
    keyword_id: str,
    asked: _FilterV1,
    viewer: _Writer,
) -> Json:
    async with site.writing() as work:
        row, keyword = await filters.the_keyword(work, viewer.account_id, id_of(keyword_id))
        irreversible = asked.optional_flag("irreversible")
        await filters.change(
            work,
            viewer.account_id,
            row.id,
            contexts=_contexts(asked),
            action=None if irreversible is None else "hide" if irreversible else "warn",
            expires_at=_expiry(work, asked),
            keywords=[Keyword(keyword.id, asked.optional_text("phrase"), asked.optional_flag("whole_word"))],
        )
    return await _answer_v1(site, keyword.id, viewer)


@router.delete("/v1/filters/{keyword_id}", response_model=dict[str, str])
async def remove_v1(site: TheSite, keyword_id: str, viewer: _Writer) -> Json:
    """The keyword, and its filter if that has no other."""
    async with site.writing() as work:
        row, keyword = await filters.the_keyword(work, viewer.account_id, id_of(keyword_id))
        gone = Keyword(keyword.id, None, None, remove=True)
        whole = await filters.set_keywords(work, viewer.account_id, row.id, [gone])
        if not whole.keywords and not whole.statuses:
            await filters.remove(work, viewer.account_id, row.id)
    return Json({})


async def _answer_v1(site: Site, keyword_id: int, viewer: Viewer) -> Json:
    async with site.reading() as work:
        return Json(filter_v1_entity(*await filters.the_keyword(work, viewer.account_id, keyword_id)))
