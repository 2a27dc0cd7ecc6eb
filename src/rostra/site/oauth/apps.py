"""The applications that people use: how one makes itself known, and how it proves who it is."""

import secrets
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from rostra.site.answers import invalid
from rostra.site.database.tables.authorization import App, Token
from rostra.site.oauth.bearer import digest
from rostra.site.oauth.scopes import parse_scopes
from rostra.site.work import Work

OUT_OF_BAND: Final = "urn:ietf:wg:oauth:2.0:oob"  # the code is shown, and somebody copies it
SCOPE_DEFAULT: Final = "read"
_NAME_LENGTH_MAX: Final = 60
_WEBSITE_LENGTH_MAX: Final = 2000
_REDIRECTS_MAX: Final = 20
# Schemes that a browser would run, or that lead to no application.
_SCHEMES_REFUSED: Final = frozenset({"javascript", "vbscript", "data", "file", "blob", "about", "mailto"})


async def register(
    work: Work, *, name: str, redirect_uris: Sequence[str], scopes: str, website: str | None
) -> tuple[App, str]:
    """A new application and its secret, which is not kept. RefusedError (422) for what cannot be one."""
    parsed = parse_scopes(scopes or SCOPE_DEFAULT)
    uris = [uri for text in redirect_uris for uri in text.split()]
    if not name.strip():
        raise invalid("Validation failed: Application name can't be blank")
    if len(name) > _NAME_LENGTH_MAX:
        raise invalid(f"Validation failed: Application name is too long (maximum is {_NAME_LENGTH_MAX} characters)")
    if parsed is None:
        raise invalid("Validation failed: Scopes doesn't match configured on the server.")
    if not uris:
        raise invalid("Validation failed: Redirect URI can't be blank")
    if len(uris) > _REDIRECTS_MAX or not all(map(_may_redirect, uris)):
        raise invalid("Validation failed: Redirect URI must be an absolute URI.")
    if website and not _is_page(website):
        raise invalid("Validation failed: Application website must be a valid URL")
    secret = secrets.token_urlsafe(32)
    app = App(
        id=work.make_id(),
        client_id=secrets.token_urlsafe(32),
        secret_hash=digest(secret),
        name=name.strip(),
        website=website or None,
        redirect_uris=uris,
        scopes=" ".join(parsed),
        created_at=work.now,
    )
    work.session.add(app)
    return app, secret


def token_for(work: Work, app_id: int, account_id: int | None, scopes: Sequence[str]) -> dict[str, Any]:
    """A new token, as Mastodon answers it: without end, with the second in which it was made."""
    token = secrets.token_urlsafe(32)
    work.session.add(
        Token(
            id=work.make_id(),
            token_hash=digest(token),
            app_id=app_id,
            account_id=account_id,
            scopes=" ".join(scopes),
            created_at=work.now,
        )
    )
    return {
        "access_token": token,
        "token_type": "Bearer",
        "scope": " ".join(scopes),
        "created_at": int(work.now.timestamp()),
    }


def _may_redirect(uri: str) -> bool:
    if uri == OUT_OF_BAND:
        return True
    try:
        split = urlsplit(uri)
        port_is_a_number = split.port is None or split.port >= 0
    except ValueError:
        return False
    if not uri.isascii() or not uri.isprintable() or split.fragment or not port_is_a_number:
        return False
    scheme = split.scheme.lower()
    if scheme in {"http", "https"}:
        return bool(split.hostname)
    return bool(scheme) and scheme not in _SCHEMES_REFUSED  # an application's own (RFC 8252 §7.1)


def _is_page(uri: str) -> bool:
    try:
        split = urlsplit(uri)
    except ValueError:
        return False
    return len(uri) <= _WEBSITE_LENGTH_MAX and split.scheme in {"http", "https"} and bool(split.netloc)
