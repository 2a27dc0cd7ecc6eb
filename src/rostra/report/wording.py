"""Everything that a report says, in one language: the words of codes and the page's own sentences."""

from typing import Any, Final

from markupsafe import Markup, escape

from rostra.report import sentences
from rostra.report.codes import CODES
from rostra.report.numbers import LOCALES, Numbers
from rostra.report.sections import sentences as of_sections

LANGUAGES: Final = tuple(LOCALES)
PHRASES: Final = {**CODES, **sentences.SENTENCES, **of_sections.SENTENCES}


class Wording:
    """Of one of LANGUAGES."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)
        self.numbers = Numbers(language)

    def __call__(self, phrase: str, **values: Any) -> Markup:
        """What `phrase` is in words; values that are no markup are escaped."""
        return Markup(PHRASES[phrase][self._column]).format(**values)  # noqa: S704 # our own words

    def name(self, kind: str, code: str) -> Markup:
        """The word of a code that a log brings, or the code itself where we have none."""
        return self(f"{kind}.{code}") if f"{kind}.{code}" in PHRASES else escape(code)

    def listed(self, parts: list[Markup]) -> Markup:
        """`a, b and c`."""
        if len(parts) < 2:
            return Markup("").join(parts)
        return Markup("{} {} {}").format(Markup(", ").join(parts[:-1]), self("and"), parts[-1])


def sentence(text: Markup) -> Markup:
    """With a capital, for what begins with a word of ours."""
    return text[:1].upper() + text[1:]
