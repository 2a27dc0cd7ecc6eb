"""The languages of the pages: catalogues (GNU gettext, read as they are written), and which one somebody gets."""

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES: Final = {"en": "English", "nl": "Nederlands"}  # the texts in code and templates are the English ones
DEFAULT: Final = "en"
_ACCEPT_LENGTH_MAX: Final = 200  # a browser's own header is shorter


def N_(text: str) -> str:  # noqa: N802 # gettext's name, by which the texts are found
    """Mark a text that is translated where it is shown."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    if language == DEFAULT:
        return NullTranslations()
    source = files("rostra.site") / "locales" / language / "LC_MESSAGES" / "messages.po"
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def choose(*, cookie: str | None, account: str | None, accept: str) -> str:
    """What was switched to in this browser, else the account's language, else what the browser asks for."""
    for known in (cookie, account):
        if known in LANGUAGES:
            return known
    for wanted in _accepted(accept[:_ACCEPT_LENGTH_MAX]):
        if wanted in LANGUAGES:
            return wanted
    return DEFAULT


def _accepted(header: str) -> list[str]:
    """The primary subtags of Accept-Language (RFC 9110 §12.5.4), best first."""
    ranked = []
    for part in header.split(","):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            quality = 0.0
        ranked.append((quality, tag.strip().partition("-")[0].lower()))
    return [tag for quality, tag in sorted(ranked, key=lambda each: -each[0]) if quality > 0]
