"""Answers that cost next to nothing: written without parsing what was asked (RFC 9457, or a page for a person)."""

from http import HTTPStatus
from typing import Final

import msgspec

RETRY_S: Final = 5
BUSY: Final = "Others of your network ask at this moment. It goes on by itself in a few seconds."
_json = msgspec.json.Encoder()


def refusal(data: bytes, status: HTTPStatus, detail: str, *, date: str, reason: str) -> bytes:
    """A whole response that ends the connection; a page if `data`, what came so far, asks for one."""
    is_passing = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    if b"text/html" in data:
        kind = "text/html; charset=utf-8"
        again = f'<meta http-equiv="refresh" content="{RETRY_S}">' if is_passing else ""
        body = (
            f'<!doctype html><html lang="en"><meta charset="utf-8">{again}'
            f'<meta name="viewport" content="width=device-width"><title>{status.phrase}</title>'
            f"<h1>{status.phrase}</h1><p>{detail}</p>"
        ).encode()
    else:
        kind = "application/problem+json"
        problem = {"title": status.phrase, "status": status.value, "detail": detail, "reason": reason}
        body = _json.encode(problem | ({"retry_after_s": RETRY_S} if is_passing else {}))
    retry = f"Retry-After: {RETRY_S}\r\n" if is_passing else ""
    return (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nDate: {date}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{retry}Connection: close\r\n"
        "Access-Control-Allow-Origin: *\r\nCache-Control: no-store\r\n\r\n"
    ).encode("ascii") + body
