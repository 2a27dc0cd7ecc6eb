"""How somebody joins: one function for API and pages. What is wrong with a wish is a value, in any language."""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from rostra.site.answers import forbidden
from rostra.site.attention import notify as attention
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.people import Account, User
from rostra.site.mail.post import send
from rostra.site.pages.languages import N_
from rostra.site.people import barred, links, lookup, passwords
from rostra.site.people.roles import ROLES
from rostra.site.posts.text import length
from rostra.site.work import Site, Work

USERNAME_LENGTH_MAX: Final = 30
REASON_LENGTH_MAX: Final = 500
EMAIL_LENGTH_MAX: Final = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
_USERNAME: Final = re.compile(r"[A-Za-z0-9_]+")
# RFC 5322's dot-atom and a host name: what a mail server takes unquoted. Nothing that could end a header.
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_LOCAL_PART_LENGTH_MAX: Final = 64
# Names by which somebody could pass for the site.
_RESERVED: Final = frozenset(
    [
        "abuse",
        "admin",
        "administrator",
        "help",
        "info",
        "mod",
        "moderator",
        "moderators",
        "noreply",
        "operator",
        "owner",
        "postmaster",
        "root",
        "rostra",
        "security",
        "staff",
        "support",
        "system",
        "webmaster",
    ]
)


_LABELS: Final = {
    "username": N_("Username"),
    "email": N_("E-mail address"),
    "password": N_("Password"),
    "agreement": N_("Agreement"),
    "reason": N_("Reason"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field: Mastodon's code, and a text for people that may hold `%(count)s`."""

    field: str
    code: str
    text: str
    count: int = 0

    @property
    def label(self) -> str:
        return _LABELS[self.field]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody who wants to join has filled in."""

    username: str
    email: str
    password: str
    agreement: bool
    reason: str = ""
    locale: str = "en"
    time_zone: str = "UTC"


def blank(field: str) -> Problem:
    return Problem(field, "ERR_BLANK", N_("can't be blank"))


def taken(field: str) -> Problem:
    return Problem(field, "ERR_TAKEN", N_("has already been taken"))


def password_problems(password: str, field: str = "password") -> list[Problem]:
    if not password:
        return [blank(field)]
    if len(password) < passwords.LENGTH_MIN:
        text = N_("is too short (minimum is %(count)s characters)")
        return [Problem(field, "ERR_TOO_SHORT", text, passwords.LENGTH_MIN)]
    if len(password) > passwords.LENGTH_MAX:
        return [_too_long(field, passwords.LENGTH_MAX)]
    return []


def email_problems(email: str) -> list[Problem]:
    if not email:
        return [blank("email")]
    local_part = email.partition("@")[0]
    fits = len(email) <= EMAIL_LENGTH_MAX and len(local_part) <= _LOCAL_PART_LENGTH_MAX
    return [] if fits and _EMAIL.fullmatch(email) else [Problem("email", "ERR_INVALID", N_("is invalid"))]


def username_problems(username: str) -> list[Problem]:
    if not username:
        return [blank("username")]
    if len(username) > USERNAME_LENGTH_MAX:
        return [_too_long("username", USERNAME_LENGTH_MAX)]
    if not _USERNAME.fullmatch(username):
        text = N_("must contain only letters, numbers and underscores")
        return [Problem("username", "ERR_INVALID", text)]
    if username.lower() in _RESERVED:
        return [Problem("username", "ERR_RESERVED", N_("is reserved"))]
    return []


def problems(wish: Wish) -> list[Problem]:
    """What is wrong with a wish by itself. Pure."""
    found = [*username_problems(wish.username), *email_problems(wish.email), *password_problems(wish.password)]
    if not wish.agreement:
        found.append(Problem("agreement", "ERR_ACCEPTED", N_("must be accepted")))
    if length(wish.reason) > REASON_LENGTH_MAX:
        found.append(_too_long("reason", REASON_LENGTH_MAX))
    return found


async def register(
    site: Site, wish: Wish, *, app_id: int | None = None, invited: bool = False
) -> Account | list[Problem]:
    """A new account, which is sent a link to confirm its e-mail address; or what is wrong.

    RefusedError (403) while nobody may join; who is `invited` may, and needs nobody's approval.
    """
    settings = site.settings
    if settings.registrations == "closed" and not invited:
        raise forbidden()
    if found := problems(wish):
        return found
    async with site.reading() as work:
        if found := await _taken(work, wish):
            return found
    password_hash = await asyncio.to_thread(passwords.hashed, wish.password)
    waits = settings.registrations == "approval" and not invited
    async with site.writing() as work:
        account_id = work.make_id()
        names = {"username": wish.username, "username_key": wish.username.lower()}
        if not await insert_once(work.session, Account, id=account_id, created_at=work.now, **names):
            return [taken("username")]
        user = {
            "account_id": account_id,
            "email": wish.email,
            "email_key": wish.email.lower(),
            "password_hash": password_hash,
            "locale": wish.locale,
            "time_zone": wish.time_zone,
            "confirmed_at": None if settings.confirm_email else work.now,
            "approved_at": None if waits else work.now,
            "invite_request": wish.reason or None,
            "created_by_app_id": app_id,
            "created_at": work.now,
        }
        if not await insert_once(work.session, User, **user):
            await work.session.execute(delete(Account).where(Account.id == account_id))
            return [taken("email")]
        account = await lookup.account(work, account_id)
        moderators = await work.session.scalars(
            select(User.account_id).where(User.role.in_(name for name, role in ROLES.items() if role.moderates))
        )
        await attention.notify(work, "admin.sign_up", moderators, from_id=account_id)
        if settings.confirm_email:
            await links.send_confirmation(work, await lookup.user(work, account_id), account)
    return account


async def change_unconfirmed(work: Work, user: User, email: str) -> bool:
    """Another address for somebody whose first one is not confirmed yet; False if it is somebody else's."""
    others = select(User.account_id).where(User.email_key == email.lower(), User.account_id != user.account_id)
    if await work.session.scalar(others) is not None:
        return False
    user.email, user.email_key = email, email.lower()
    return True


async def approve(work: Work, account_id: int) -> None:
    """Let somebody in who asked to join."""
    user = await lookup.user(work, account_id)
    if user.approved_at is None:
        user.approved_at = work.now
        send(work, "approved", to=user.email, locale=user.locale, values={"url": work.settings.url})


async def reject(work: Work, account_id: int) -> None:
    """Forget somebody who asked to join. RefusedError (403) for an account that was approved."""
    user = await lookup.user(work, account_id)
    if user.approved_at is not None:
        raise forbidden()
    await work.session.execute(delete(Account).where(Account.id == account_id))


async def _taken(work: Work, wish: Wish) -> list[Problem]:
    """What others have already, or is barred; told before the password is hashed."""
    names = select(Account.id).where(Account.username_key == wish.username.lower())
    emails = select(User.account_id).where(User.email_key == wish.email.lower())
    found = []
    if await work.session.scalar(names) is not None:
        found.append(taken("username"))
    if await work.session.scalar(emails) is not None:
        found.append(taken("email"))
    if await barred.is_barred(work, wish.email):
        found.append(Problem("email", "ERR_BLOCKED", N_("is at a provider that is not let in")))
    return found


def _too_long(field: str, maximum: int) -> Problem:
    return Problem(field, "ERR_TOO_LONG", N_("is too long (maximum is %(count)s characters)"), maximum)
