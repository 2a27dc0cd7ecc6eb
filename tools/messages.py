"""Bring the catalogues up to the texts in code and templates: `python tools/messages.py`; `--check` only tells."""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

SITE = Path(__file__).parents[1] / "src" / "rostra" / "site"
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")]
OPTIONS = {"**.html": {"silent": "false", "trimmed": "true"}, "**.txt": {"silent": "false", "trimmed": "true"}}
# Without dates and names, over which two branches would conflict.
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plural}\\n"

"""


def template() -> Catalog:
    """Every text that is marked to be translated."""
    catalog = Catalog(project="Rostra", charset="utf-8")
    found = extract_from_dir(SITE, METHODS, OPTIONS, comment_tags=("For translators:",), strip_comment_tags=True)
    for _file, _line, message, comments, context in found:
        catalog.add(message, auto_comments=comments, context=context)
    return catalog


def main(arguments: list[str]) -> int:
    texts, left = template(), 0
    for file in sorted((SITE / "locales").glob("*/LC_MESSAGES/messages.po")):
        language = file.parts[-3]
        catalog = read_po(BytesIO(file.read_bytes()), locale=language)
        before = {message.id for message in catalog}
        catalog.update(texts, no_fuzzy_matching=True)
        empty = [message.id for message in catalog if message.id and not _complete(message.string)]
        gone = before - {message.id for message in catalog}
        if "--check" not in arguments:
            out = BytesIO()
            write_po(out, catalog, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
            file.write_bytes(
                HEADER.format(language=language, plural=catalog.plural_forms).encode() + out.getvalue()
            )
        elif gone:
            print(f"{language}: no longer used: {sorted(map(str, gone))}")
            left += len(gone)
        for text in empty:
            print(f"{language}: not translated: {text!r}")
        left += len(empty)
    return 1 if left else 0


def _complete(translation: str | tuple[str, ...] | list[str]) -> bool:
    return all(translation) if isinstance(translation, (tuple, list)) else bool(translation)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
