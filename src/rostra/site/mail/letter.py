"""A letter: its first line is the subject, then paragraphs; the HTML beside the text is made of the same words."""

from collections.abc import Mapping
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from typing import Any

from rostra.core.errors import BadInputError
from rostra.site.pages.templates import render, render_letter


def write(
    template: str, language: str, values: Mapping[str, Any], *, to: str, sender: str, title: str, now: datetime
) -> EmailMessage:
    """BadInputError for an address that is none: nothing that somebody typed can begin a header."""
    subject, _, text = render_letter(f"{template}.txt", language, {"title": title, **values}).partition("\n")
    paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    letter = EmailMessage(policy=SMTP)
    try:
        letter["From"] = Address(title, addr_spec=sender)
        letter["To"] = Address(addr_spec=to)
    except (ValueError, IndexError, MessageError) as error:  # the standard library raises all three
        raise BadInputError("That is no e-mail address.") from error
    letter["Subject"] = " ".join(subject.split())
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    letter["Content-Language"] = language
    letter.set_content("\n\n".join(paragraphs) + "\n")
    html = render("letter.html", language, {"subject": letter["Subject"], "paragraphs": paragraphs, "title": title})
    letter.add_alternative(html, subtype="html")
    return letter
