"""What Mastodon.py's suite expects to find (its tests/setup.sql): accounts, an application, tokens known to all.

For a database on this machine alone: whoever knows these tokens, which are public, owns the site.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rostra.site.database.engine import Database
from rostra.site.database.tables.authorization import App, Token
from rostra.site.database.tables.people import Account, User
from rostra.site.oauth.bearer import digest
from rostra.site.snowflake import Snowflakes

_SHARD: Final = 255  # none of the site's processes
_APP: Final = "__MASTODON_PY_TEST_CLIENT"
_TOKEN: Final = "__MASTODON_PY_TEST_ACCESS_TOKEN"  # noqa: S105 # public, as above
_SCOPES: Final = "read write follow push"
_ADMIN_SCOPES: Final = f"{_SCOPES} admin:read admin:write"
# Username, e-mail address, role, language, locked.
_PEOPLE: Final = (
    ("admin", "admin@localhost", "owner", "en", False),
    ("admin2", "zerocool@example.com", "owner", "de", False),
    ("mastodonpy_test", "mastodonpy_test@localhost", "member", "ja", True),
    ("mastodonpy_test_2", "mastodonpy_test_2@localhost", "member", "ja", False),
)
_TOKENS: Final = (
    (_TOKEN, "mastodonpy_test", _SCOPES),
    (f"{_TOKEN}_2", "admin", _ADMIN_SCOPES),
    (f"{_TOKEN}_3", "mastodonpy_test_2", _SCOPES),
)


def seed(database: Path, url: str) -> None:
    assert url.startswith("http://localhost:"), "Tokens that everybody knows are for this machine alone."
    asyncio.run(_seed(database))


async def _seed(path: Path) -> None:
    database, ids, now = Database(f"sqlite:///{path}"), Snowflakes(_SHARD), datetime.now(UTC)
    try:
        async with database.write() as session:
            known: dict[str, int] = {}
            for username, email, role, locale, locked in _PEOPLE:
                known[username] = ids.make(now)
                session.add(
                    Account(
                        id=known[username],
                        username=username,
                        username_key=username,
                        locked=locked,
                        created_at=now,
                    )
                )
                await session.flush()
                session.add(
                    User(
                        account_id=known[username],
                        email=email,
                        email_key=email,
                        password_hash="!",  # noqa: S106 # no password is right
                        role=role,
                        locale=locale,
                        settings={"privacy": "public", "sensitive": False},
                        confirmed_at=now,
                        approved_at=now,
                        created_at=now,
                    )
                )
            app = App(
                id=ids.make(now),
                client_id=f"{_APP}_ID",
                secret_hash=digest(f"{_APP}_SECRET"),
                name="Mastodon.py test suite",
                redirect_uris=["urn:ietf:wg:oauth:2.0:oob"],
                scopes=_ADMIN_SCOPES,
                created_at=now,
            )
            session.add(app)
            await session.flush()
            for token, username, scopes in _TOKENS:
                session.add(
                    Token(
                        id=ids.make(now),
                        token_hash=digest(token),
                        app_id=app.id,
                        account_id=known[username],
                        scopes=scopes,
                        created_at=now,
                    )
                )
    finally:
        await database.close()
