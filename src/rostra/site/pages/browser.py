"""A request of somebody's browser: who it is, in which language, what it may post, and the page it gets."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Request, Response
from markupsafe import Markup

from rostra.site.answers import RefusedError, forbidden
from rostra.site.app import TheSite
from rostra.site.attention.notifications import Wish, unread_count
from rostra.site.login.sessions import LIFETIME, LoggedIn, find, is_stale, note_use
from rostra.site.mastodon.body import Asked, Body
from rostra.site.moderation.restrictions import CLOSED, in_force
from rostra.site.oauth.bearer import Viewer
from rostra.site.pages.flashes import FLASHES
from rostra.site.pages.languages import N_, choose, translations
from rostra.site.pages.templates import render, zone_of
from rostra.site.work import Site
from rostra.web.pages import HTML, policy

_VISITOR_BYTES: Final = 18
LANGUAGE_COOKIE: Final = "language"
FLASH_COOKIE: Final = "flash"
_LANGUAGE_S: Final = 365 * 24 * 3600
_FLASH_S: Final = 60
_UNREAD_MAX: Final = 100  # more are told as so many
_PATH_LENGTH_MAX: Final = 4_000  # what an application asks for is in the address, with its state
# Pages of the site load nothing from elsewhere; the live player connects to the edges.
_DIRECTIVES: Final = {"img-src": "'self' data: blob:", "media-src": "'self' blob: http: https:"}


@dataclass(slots=True)
class Browser:
    """Who asks for a page. Cookies to be set wait here until the answer is made."""

    request: Request
    site: Site
    language: str
    now: datetime
    logged_in: LoggedIn | None
    unread: int = 0  # notifications
    _cookies: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    @property
    def viewer(self) -> Viewer | None:
        return None if self.logged_in is None else self.logged_in.viewer

    @property
    def me(self) -> LoggedIn:
        """Who is logged in; RefusedError (401, for a person the log-in page) if nobody is."""
        if self.logged_in is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Log in first")
        return self.logged_in

    @property
    def account_id(self) -> int:
        return self.me.viewer.account_id

    @property
    def zone(self) -> tzinfo:
        return zone_of("UTC" if self.logged_in is None else self.logged_in.user.time_zone)

    @property
    def htmx(self) -> bool:
        """Whether a part of a page is asked for, to be put in its place."""
        return self.request.headers.get("hx-request") == "true"

    @property
    def user_agent(self) -> str:
        return self.request.headers.get("user-agent", "")

    @property
    def address(self) -> str:
        return "" if self.request.client is None else self.request.client.host

    def gettext(self, text: str) -> str:
        return translations(self.language).gettext(text)

    def cookie(self, name: str) -> str | None:
        return self.request.cookies.get(self._cookie_name(name))

    def set_cookie(self, name: str, value: str, *, lasts_s: int | None = None) -> None:
        """A cookie that scripts cannot read; `lasts_s=0` removes it, None keeps it until the browser ends."""
        self._cookies[name] = (value, lasts_s)

    def begin_session(self, token: str) -> None:
        self.set_cookie("session", token, lasts_s=int(LIFETIME.total_seconds()))
        self.set_cookie("visitor", "", lasts_s=0)

    def end_session(self) -> None:
        self.set_cookie("session", "", lasts_s=0)

    def csrf_token(self) -> str:
        """What this browser's forms carry: sealed over its session, or over a cookie that a visitor is given."""
        return self._sealed(self._seed() or self._new_visitor())

    def csrf_field(self) -> Markup:
        return Markup('<input type="hidden" name="csrf" value="{}">').format(self.csrf_token())

    def posts_truly(self, asked: Asked) -> bool:
        """Whether what was posted comes from one of our own pages in this very browser."""
        seed, token = self._seed(), asked.values.get("csrf")
        return (
            self.from_here
            and bool(seed)
            and isinstance(token, str)
            and hmac.compare_digest(self._sealed(seed).encode(), token.encode())
        )

    @property
    def from_here(self) -> bool:
        """What the browser itself says of where the request comes from (Fetch Metadata, Origin)."""
        site = self.request.headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        origin = self.request.headers.get("origin")
        host = self.request.headers.get("host", "")
        return origin is None or origin.partition("://")[2] in {host, self.site.settings.domain}

    def page(
        self,
        name: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        directives: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """The answer with this template. `directives` are changes to the Content-Security-Policy."""
        flash = None if self.htmx else self.request.cookies.get(FLASH_COOKIE)
        known = {
            "browser": self,
            "me": self.logged_in,
            "site": self.site.settings,
            "now": self.now,
            "zone": self.zone,
            "here": self.here,
            "flash": FLASHES.get(flash or ""),
            "csrf_field": self.csrf_field,
        }
        body = render(name, self.language, known | values)
        if flash:
            self.set_cookie(FLASH_COOKIE, "", lasts_s=0)
        answer = Response(body, status, media_type=HTML)
        answer.headers["Content-Security-Policy"] = policy(
            {**_DIRECTIVES, "frame-ancestors": "'none'", **(directives or {})}
        )
        answer.headers["Content-Language"] = self.language
        answer.headers.update(headers or {})
        self._finish(answer)
        return answer

    def go(self, path: str, flash: str | None = None) -> Response:
        """To another page (303), where `flash` is told: one of flashes.FLASHES."""
        if flash is not None:
            assert flash in FLASHES
            self.set_cookie(FLASH_COOKIE, flash, lasts_s=_FLASH_S)
        answer = Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": path})
        self._finish(answer)
        return answer

    @property
    def here(self) -> str:
        """The address of this page, to come back to."""
        query = f"?{self.request.url.query}" if self.request.url.query else ""
        return (quote(self.request.url.path, safe="/@") + query)[:_PATH_LENGTH_MAX]

    def _seed(self) -> str:
        own = None if self.logged_in is None else self.cookie("session")
        return own or self.cookie("visitor") or self._cookies.get("visitor", ("", None))[0]

    def _new_visitor(self) -> str:
        self.set_cookie("visitor", seed := secrets.token_urlsafe(_VISITOR_BYTES))
        return seed

    def _sealed(self, seed: str) -> str:
        key = self.site.settings.key
        return urlsafe_b64encode(hmac.digest(key, b"csrf\0" + seed.encode(), sha256)).rstrip(b"=").decode()

    def _cookie_name(self, name: str) -> str:
        """`__Host-` binds a cookie to this host and to TLS; flash and language are not worth it."""
        return f"__Host-{name}" if self.site.settings.secure and name in {"session", "visitor"} else name

    def _finish(self, answer: Response) -> None:
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.append("Vary", "Cookie, Accept-Language, HX-Request")
        shared = self.logged_in is None and not self._cookies and answer.status_code == HTTPStatus.OK
        answer.headers.setdefault("Cache-Control", "public, max-age=10" if shared else "private, no-cache")
        for name, (value, lasts_s) in self._cookies.items():
            answer.set_cookie(
                self._cookie_name(name),
                value,
                max_age=lasts_s,
                path="/",
                secure=self.site.settings.secure,
                httponly=True,
                samesite="lax",
            )


async def the_browser(request: Request, site: TheSite) -> Browser:
    token = request.cookies.get("__Host-session" if site.settings.secure else "session")
    logged_in, stale, unread, now = None, False, 0, site.clock()
    if token:
        async with site.reading() as work:
            logged_in = await find(work, token)
            stale, now = logged_in is not None and is_stale(logged_in.session, work), work.now
            if logged_in is not None:
                me = logged_in.viewer.account_id
                unread = await unread_count(work, me, Wish(), limit=_UNREAD_MAX)
    if logged_in is not None and stale:
        async with site.writing() as work:
            await note_use(work, logged_in.session.id)
    language = choose(
        cookie=request.cookies.get(LANGUAGE_COOKIE),
        account=None if logged_in is None else logged_in.user.locale,
        accept=request.headers.get("accept-language", ""),
    )
    browser = Browser(request, site, language, now, logged_in, unread)
    if token and logged_in is None:
        browser.end_session()
    return browser


TheBrowser = Annotated[Browser, Depends(the_browser)]


async def the_member(browser: TheBrowser) -> Browser:
    """Somebody who is logged in; anybody else is led to the log-in page."""
    _ = browser.me
    return browser


Member = Annotated[Browser, Depends(the_member)]


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted from one of our own pages."""

    browser: Browser
    asked: Asked


async def read_form(browser: TheBrowser, asked: Body) -> Form:
    """RefusedError (403) if it does not come from a page of ours in this browser."""
    if not browser.posts_truly(asked):
        raise forbidden("This form is too old, or it was not sent from this site")
    return Form(browser, asked)


AnyForm = Annotated[Form, Depends(read_form)]


async def read_members_form(browser: Member, form: AnyForm) -> Form:
    """RefusedError (403) for an account that is suspended or frozen: it may appeal, and log out.

    Who is not logged in is told so before anything they send is read.
    """
    async with browser.site.reading() as work:
        if (await in_force(work, "account", [browser.account_id]))[browser.account_id] & CLOSED:
            raise forbidden(
                N_("Your account is suspended or frozen. Why, and how to appeal, is under Settings, Decisions.")
            )
    return form


MembersForm = Annotated[Form, Depends(read_members_form)]


def local_path(text: str, default: str = "/") -> str:
    """`text` if it leads to a page of this site, else `default`: nobody is led elsewhere by a link of ours."""
    if not text.startswith("/") or text.startswith(("//", "/\\")):
        return default
    return default if any(ord(each) < 0x21 or each == "\\" for each in text) else text[:_PATH_LENGTH_MAX]


def remember_language(browser: Browser, language: str) -> None:
    browser.set_cookie(LANGUAGE_COOKIE, language, lasts_s=_LANGUAGE_S)
