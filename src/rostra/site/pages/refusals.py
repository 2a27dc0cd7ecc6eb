"""Refusals in the reader's language: the parts of the site speak Mastodon's English, as clients expect."""

import re
from collections.abc import Callable
from typing import Final

from rostra.site.pages.languages import N_

# Known by these texts, in which the first number stands as %(count)s.
KNOWN: Final = (
    N_("Text can't be blank"),
    N_("Text character limit of %(count)s exceeded"),
    N_("Options can't be blank"),
    N_("Options must have more than one item"),
    N_("Options can't contain more than %(count)s items"),
    N_("Options can't be longer than %(count)s characters each"),
    N_("Options contain duplicate items"),
    N_("Cannot attach more than %(count)s files"),
    N_("Scheduled at must be at least %(count)s minutes in the future"),
    N_("Record invalid"),
    N_("You have already voted on this poll"),
    N_("The poll has already ended"),
    N_("The chosen vote option does not exist"),
    N_("Display name is too long (maximum is %(count)s characters)"),
    N_("Note is too long (maximum is %(count)s characters)"),
    N_("Profile field name is too long (maximum is %(count)s characters)"),
    N_("Profile field value is too long (maximum is %(count)s characters)"),
    N_("This action is not allowed"),
    N_("This form is too old, or it was not sent from this site"),
    N_("Your login is missing a confirmed e-mail address"),
    N_("Your login is currently pending approval"),
    N_("Your login is currently disabled"),
    N_("Too many attempts to log in"),
    N_("The body is too large"),
    N_("The body cannot be read"),
)


def told(gettext: Callable[[str], str], message: str) -> str:
    """`message` in the reader's language; as it is if it is not known."""
    text = message.removeprefix("Validation failed: ")
    number = re.search(r"\d+", text)
    if number is None:
        return gettext(text)
    known = f"{text[: number.start()]}%(count)s{text[number.end() :]}"
    return gettext(known).replace("%(count)s", number[0])
