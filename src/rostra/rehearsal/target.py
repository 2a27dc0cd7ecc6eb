"""Where a crowd may be sent: this machine, or a host that is allowed by name and confirms it by a shared secret."""

import http.client
import secrets
import socket
from collections.abc import Collection
from ipaddress import ip_address
from typing import Final

import msgspec

from rostra.core.errors import BadInputError
from rostra.core.leave import LEAVE_PATH, proves
from rostra.rehearsal.crowd import check_target
from rostra.rehearsal.member import parse_target

_ANSWER_S: Final = 10.0
_ANSWER_BYTES_MAX: Final = 64 * 1024


class Leave(msgspec.Struct, frozen=True):
    """What a target answers."""

    proof: str


def check(url: str, *, allowed: Collection[str], token: str | None) -> bool:
    """Whether the crowd may go to another machine than this one, for `url` is one.

    BadInputError says why it must not: the host is not in `allowed`, or does not confirm by `token`.
    """
    address, _ = check_target(url, any_host=True)
    if ip_address(address[0]).is_loopback:
        return False
    host, port, _ = parse_target(url)
    if host not in allowed:
        raise BadInputError(f"{host} is not this machine: a crowd is sent there only with --allow {host}.")
    if token is None:
        raise BadInputError(
            f"{host} has to confirm that a crowd may come: put the same secret into ROSTRA_REHEARSAL_TOKEN_FILE "
            "there and here."
        )
    confirm(host, port, token)
    return True


def is_here(url: str) -> bool:
    """Whether the target is on this machine: only then does a certificate know what it is about."""
    (host, _), _ = check_target(url, any_host=True)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def confirm(host: str, port: int, token: str) -> None:
    """Return if `host` proves that it knows `token`; else BadInputError says what it answered."""
    nonce = secrets.token_hex(16)
    named = host if port == http.client.HTTP_PORT else f"{host}:{port}"
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", f"{LEAVE_PATH}?nonce={nonce}")
        answer = connection.getresponse()
        body = answer.read(_ANSWER_BYTES_MAX)
        given = msgspec.json.decode(body, type=Leave) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise BadInputError(f"{named} cannot confirm that a crowd may come: {error}.") from error
    finally:
        connection.close()
    if given is None:
        raise BadInputError(f"{named} has not been told that a crowd may come (ROSTRA_REHEARSAL_TOKEN_FILE there).")
    if not proves(given.proof, token, host=named, nonce=nonce):
        raise BadInputError(
            f"{named} knows another secret than ROSTRA_REHEARSAL_TOKEN_FILE here, or calls itself otherwise."
        )
