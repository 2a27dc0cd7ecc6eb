"""Passkeys (W3C WebAuthn Level 3): log-in by a key that a device holds and unlocks for its owner.

A challenge is sealed and given away, not kept; one that was made before a key was last used is refused by that key,
so that none is answered twice.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import webauthn
from sqlalchemy import CursorResult, delete, func, or_, select, update
from webauthn.helpers import bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from rostra.site.answers import forbidden, invalid
from rostra.site.database.tables.people import Account, Passkey
from rostra.site.sealing import opened, sealed
from rostra.site.work import Work

NAME_LENGTH_MAX: Final = 60
PASSKEYS_MAX: Final = 20  # a person's devices
_CHALLENGE_BYTES: Final = 32
_LIFETIME: Final = timedelta(minutes=5)
_ABOUT: Final = b"passkey"
_REFUSED: Final = "The passkey was not accepted"


class Challenge(msgspec.Struct, frozen=True):
    """What a device is asked to sign. `account_id` is 0 for a log-in: the device says whose key it is."""

    challenge: bytes
    account_id: int
    made_at: datetime


def ask_to_register(work: Work, account: Account, known: Sequence[Passkey]) -> dict[str, Any]:
    """The options for navigator.credentials.create, and the sealed challenge."""
    challenge = Challenge(secrets.token_bytes(_CHALLENGE_BYTES), account.id, work.now)
    options = webauthn.generate_registration_options(
        rp_id=_rp_id(work),
        rp_name=work.settings.title,
        user_name=account.username,
        user_id=str(account.id).encode(),
        user_display_name=account.display_name or account.username,
        challenge=challenge.challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(key.credential_id)) for key in known
        ],
    )
    return _asked(work, webauthn.options_to_json(options), challenge)


def ask_to_log_in(work: Work) -> dict[str, Any]:
    """The options for navigator.credentials.get, and the sealed challenge."""
    challenge = Challenge(secrets.token_bytes(_CHALLENGE_BYTES), 0, work.now)
    options = webauthn.generate_authentication_options(
        rp_id=_rp_id(work),
        challenge=challenge.challenge,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _asked(work, webauthn.options_to_json(options), challenge)


async def register(work: Work, account_id: int, answer: str, seal: str, *, name: str) -> None:
    """RefusedError (403) if the answer is not to our question, (422) if there are too many keys."""
    challenge = _opened(work, seal, account_id)
    try:
        verified = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge.challenge,
            expected_rp_id=_rp_id(work),
            expected_origin=work.settings.url,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise forbidden(_REFUSED) from error
    known = select(func.count()).select_from(Passkey).where(Passkey.account_id == account_id)
    if (await work.session.scalar(known) or 0) >= PASSKEYS_MAX:
        raise invalid("Validation failed: too many passkeys")
    credential_id = bytes_to_base64url(verified.credential_id)
    if await work.session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)) is not None:
        raise forbidden(_REFUSED)
    work.session.add(
        Passkey(
            id=work.make_id(),
            account_id=account_id,
            credential_id=credential_id,
            public_key=bytes_to_base64url(verified.credential_public_key),
            sign_count=verified.sign_count,
            name=name.strip()[:NAME_LENGTH_MAX],
            created_at=work.now,
        )
    )


async def log_in(work: Work, answer: str, seal: str) -> int:
    """Whose key answered. RefusedError (403) if it is unknown, or the answer not to our question."""
    challenge = _opened(work, seal, 0)
    try:
        credential = parse_authentication_credential_json(answer)
        key = await work.session.scalar(
            select(Passkey).where(Passkey.credential_id == bytes_to_base64url(credential.raw_id))
        )
        if key is None:
            raise forbidden(_REFUSED)
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge.challenge,
            expected_rp_id=_rp_id(work),
            expected_origin=work.settings.url,
            credential_public_key=webauthn.base64url_to_bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise forbidden(_REFUSED) from error
    used = await work.session.execute(
        update(Passkey)
        .where(Passkey.id == key.id, or_(Passkey.used_at.is_(None), Passkey.used_at < challenge.made_at))
        .values(used_at=work.now, sign_count=verified.new_sign_count)
    )
    assert isinstance(used, CursorResult)
    if used.rowcount != 1:
        raise forbidden(_REFUSED)
    return key.account_id


async def passkeys_of(work: Work, account_id: int) -> Sequence[Passkey]:
    query = select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id)
    return (await work.session.scalars(query)).all()


async def remove(work: Work, account_id: int, passkey_id: int) -> None:
    await work.session.execute(delete(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account_id))


def _rp_id(work: Work) -> str:
    return urlsplit(work.settings.url).hostname or ""


def _asked(work: Work, options: str, challenge: Challenge) -> dict[str, Any]:
    seal = sealed(msgspec.json.encode(challenge), about=_ABOUT, key=work.settings.key)
    return {"options": msgspec.json.decode(options), "sealed": seal}


def _opened(work: Work, seal: str, account_id: int) -> Challenge:
    content = opened(seal, about=_ABOUT, key=work.settings.key)
    challenge = None if content is None else msgspec.json.decode(content, type=Challenge)
    if challenge is None or challenge.account_id != account_id or work.now - challenge.made_at > _LIFETIME:
        raise forbidden(_REFUSED)
    return challenge
