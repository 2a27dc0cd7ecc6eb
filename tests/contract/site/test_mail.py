"""Letters: in the reader's language, as text and HTML, to a folder or a mail server; no header can be forged."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from bus_server import run
from rostra.core.errors import BadInputError
from rostra.site.database.tables.work import Job
from rostra.site.mail.letter import write
from rostra.site.mail.post import send
from rostra.site.settings import Mail
from site_kit import START, Kit, site_kit
from system import free_port

LINK = {"username": "ann", "url": "http://localhost:3000/confirm?token=secret"}


def _letters(folder: Path) -> list[EmailMessage]:
    return [_letter(file.read_bytes()) for file in sorted(folder.glob("*.eml"))]


def _letter(raw: bytes) -> EmailMessage:
    letter = message_from_bytes(raw, policy=default)
    assert isinstance(letter, EmailMessage)
    return letter


async def _send(kit: Kit, *, to: str = "ann@example.com", locale: str = "en") -> None:
    async with kit.site.writing() as work:
        send(work, "confirm", to=to, locale=locale, values=LINK)
    await kit.do_jobs()


@pytest.mark.parametrize(
    ("locale", "subject"),
    [
        ("en", "Confirm your e-mail address"),
        ("nl", "Bevestig je e-mailadres"),
        ("xx", "Confirm your e-mail address"),
    ],
)
def test_without_a_server_letters_are_put_into_a_folder(
    database_url: str, tmp_path: Path, locale: str, subject: str
) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            await _send(kit, locale=locale)
            (letter,) = _letters(tmp_path / "mail")
            assert (letter["Subject"], letter["To"]) == (subject, "ann@example.com")
            text, html = letter.get_body(("plain",)), letter.get_body(("html",))
            assert text is not None
            assert html is not None
            assert LINK["url"] in text.get_content()
            assert f'href="{LINK["url"]}"' in html.get_content()

    run(test)


def test_what_waits_to_be_sent_cannot_be_read_in_the_database(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            async with kit.site.writing() as work:
                send(work, "confirm", to="ann@example.com", locale="en", values=LINK)
            async with kit.site.reading() as work:
                (job,) = (await work.session.scalars(select(Job))).all()
            assert "secret" not in str(job.payload)
            assert "ann" not in str(job.payload)

    run(test)


@pytest.mark.parametrize(
    "address", ["ann@example.com\nBcc: all@example.com", "ann@example.com\r\n\r\nx", "ann", "", "a@b, c@d", "<a@b>"]
)
def test_no_address_begins_a_header(address: str) -> None:
    with pytest.raises(BadInputError):
        write("confirm", "en", LINK, to=address, sender="rostra@localhost", title="Rostra", now=START)


def test_no_value_begins_a_header_or_an_element() -> None:
    hostile = {"username": "ann\nBcc: all@example.com", "url": "https://x/\n<script>"}
    letter = write(
        "confirm", "en", hostile, to="ann@example.com", sender="rostra@localhost", title="Rostra", now=START
    )
    parsed = _letter(letter.as_bytes())
    html = parsed.get_body(("html",))
    assert parsed["Bcc"] is None
    assert html is not None
    assert "<script>" not in html.get_content()


class _Mailbox:
    """A mail server that keeps what it takes, and refuses as it is told to."""

    def __init__(self, refuse: str = "") -> None:
        self.letters: list[bytes] = []
        self._refuse = refuse

    async def handle_RCPT(  # noqa: N802 # aiosmtpd calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._refuse:
            return self._refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        self.letters.append(envelope.content)
        return "250 OK"


@pytest.mark.parametrize(
    ("refuse", "letters", "waiting"),
    [("", 1, 0), ("550 5.1.1 nobody here", 0, 0), ("451 4.3.0 try again later", 0, 1)],
)
def test_a_server_takes_a_letter_or_it_is_tried_again_or_dropped(
    database_url: str, tmp_path: Path, refuse: str, letters: int, waiting: int
) -> None:
    mailbox, port = _Mailbox(refuse), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()

    async def test() -> None:
        mail = Mail("rostra@localhost", tmp_path, host="127.0.0.1", port=port, tls="none")
        async with site_kit(database_url, tmp_path, mail=mail) as kit:
            await _send(kit)
            assert len(mailbox.letters) == letters
            async with kit.site.reading() as work:
                assert len((await work.session.scalars(select(Job))).all()) == waiting

    try:
        run(test)
    finally:
        controller.stop()
