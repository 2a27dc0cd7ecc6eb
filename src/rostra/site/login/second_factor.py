"""The second factor: codes of an authenticator (TOTP, RFC 6238), each taken once, and codes for when it is lost."""

import secrets
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import CursorResult, select, update

from rostra.site.database.tables.people import User
from rostra.site.oauth.bearer import digest
from rostra.site.sealing import opened, sealed
from rostra.site.work import Work

_STEP_S: Final = 30
_WINDOW: Final = 1  # steps before and after: telephones' clocks are off, and typing takes a while
_RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10  # 80 bits: nobody guesses one, so a plain hash keeps it
_ABOUT: Final = b"totp"


def new_secret() -> str:
    """A key for an authenticator, in base32."""
    return pyotp.random_base32()


def key_uri(secret: str, *, username: str, title: str) -> str:
    """What the QR code holds (otpauth:)."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=title)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The step of time whose code this is, or None."""
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_S
    digits = "".join(code.split())
    for step in range(current - _WINDOW, current + _WINDOW + 1):
        if secrets.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    return None


async def enable(work: Work, account_id: int, secret: str, code: str) -> list[str] | None:
    """Ask for codes from now on. The recovery codes, which nobody can see again; None if `code` is wrong."""
    step = step_of(secret, code, now=work.now)
    if step is None:
        return None
    recovery = [_recovery_code() for _ in range(_RECOVERY_CODES)]
    await work.session.execute(
        update(User)
        .where(User.account_id == account_id)
        .values(
            totp_secret=sealed(secret.encode(), about=_ABOUT, key=work.settings.key),
            totp_last_step=step,
            recovery_codes=_hashes(recovery),
        )
    )
    return recovery


async def disable(work: Work, account_id: int) -> None:
    await work.session.execute(
        update(User).where(User.account_id == account_id).values(totp_secret=None, recovery_codes=[])
    )


async def take(work: Work, account_id: int, code: str) -> bool:
    """Whether it is a code of the authenticator or a recovery code; it is not taken again."""
    user = await work.session.scalar(select(User).where(User.account_id == account_id).with_for_update())
    if user is None or user.totp_secret is None:
        return False
    secret = opened(user.totp_secret, about=_ABOUT, key=work.settings.key)
    step = None if secret is None else step_of(secret.decode(), code, now=work.now)
    if step is not None:
        fresh = update(User).where(User.account_id == account_id, User.totp_last_step < step)
        taken = await work.session.execute(fresh.values(totp_last_step=step))
        assert isinstance(taken, CursorResult)
        return taken.rowcount == 1
    (used,) = _hashes([code])
    if used not in user.recovery_codes:
        return False
    user.recovery_codes = [each for each in user.recovery_codes if each != used]
    return True


def _recovery_code() -> str:
    text = b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _hashes(codes: Sequence[str]) -> list[str]:
    return [digest("".join(code.lower().replace("-", " ").split())) for code in codes]
