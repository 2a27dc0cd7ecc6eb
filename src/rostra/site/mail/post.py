"""The post: letters wait as jobs, sealed, since they hold links that open accounts; then they go out by SMTP.

Without a mail server they are put into a folder, where development reads them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import aiosmtplib
import msgspec
import structlog

from rostra.core.errors import BadInputError
from rostra.site.mail.letter import write
from rostra.site.pages.languages import choose
from rostra.site.sealing import opened, sealed
from rostra.site.settings import Mail
from rostra.site.work import Site, Work

_log = structlog.get_logger()
_TIMEOUT_S: Final = 30.0
_ABOUT: Final = b"mail"


def send(work: Work, template: str, *, to: str, locale: str, values: Mapping[str, Any]) -> None:
    """Have a letter written from `templates/{template}.txt` and sent once this change is kept."""
    words = {"template": template, "to": to, "locale": locale, "values": dict(values)}
    work.later("mail", {"sealed": sealed(msgspec.json.encode(words), about=_ABOUT, key=work.settings.key)})


async def deliver(site: Site, payload: Mapping[str, Any]) -> None:
    """The job `mail`. What no mail server will ever take is dropped; anything else is tried again."""
    content = opened(str(payload["sealed"]), about=_ABOUT, key=site.settings.key)
    if content is None:
        _log.warning("mail.unreadable")  # the site's key was replaced meanwhile
        return
    words = msgspec.json.decode(content)
    mail, template = site.settings.mail, words["template"]
    try:
        letter = write(
            template,
            choose(cookie=None, account=words["locale"], accept=""),
            words["values"],
            to=words["to"],
            sender=mail.sender,
            title=site.settings.title,
            now=site.clock(),
        )
    except BadInputError as error:
        _log.warning("mail.refused", template=template, error=str(error))
        return
    if mail.host is None:
        _keep(mail, template, letter.as_bytes(), number=int(site.clock().timestamp() * 1000))
        return
    try:
        await aiosmtplib.send(
            letter,
            hostname=mail.host,
            port=mail.port,
            username=mail.user,
            password=mail.password,
            use_tls=mail.tls == "implicit",
            start_tls=mail.tls == "starttls",
            timeout=_TIMEOUT_S,
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        if any(each.code < HTTPStatus.INTERNAL_SERVER_ERROR for each in error.recipients):
            raise  # RFC 5321 §4.2.1: 4yz is for now, 5yz for ever; the numbers are HTTP's by chance
        _log.warning("mail.refused", template=template, codes=[each.code for each in error.recipients])


def _keep(mail: Mail, template: str, letter: bytes, *, number: int) -> None:
    """For development. Only the file has the address and the link; the log names the file."""
    mail.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = mail.folder / f"{number}-{template}.eml"
    writing = file.with_suffix(".part")  # whoever watches the folder finds whole letters
    writing.touch(mode=0o600)
    writing.write_bytes(letter)
    writing.rename(file)
    _log.info("mail.kept", template=template, file=str(file))
