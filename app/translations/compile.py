"""Puts the parts of each language together into the one catalogue that flask-babel reads.

``python -m app.translations.compile`` writes ``<language>/LC_MESSAGES/messages.mo`` wherever a part is
newer. Parts are kept by topic so that people can work on them side by side.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent
LANGUAGES = ("ru", "en")


def parts(language: str) -> list[Path]:
    return sorted((FOLDER / language).glob("*.po"))


def read_part(path: Path, language: str) -> Catalog:
    """One part; a line that is not PO raises (babel's PoFileError)."""
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def merged(language: str) -> Catalog:
    """All parts of a language. A message in two parts is found by ``app.translations.check``."""
    whole = Catalog(locale=language, charset="utf-8")
    for path in parts(language):
        for message in read_part(path, language):
            if message.id:
                whole.add(message.id, message.string, context=message.context)
    return whole


def target(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "messages.mo"


def compile_all() -> list[str]:
    """Write the catalogues whose parts have changed; the languages written."""
    written = []
    for language in LANGUAGES:
        sources, result = parts(language), target(language)
        if not sources:  # the sources' own words are this language
            result.unlink(missing_ok=True)
            continue
        # The folder too: a part that was removed changes nothing else.
        newest = max(path.stat().st_mtime for path in [FOLDER / language, *sources])
        if result.exists() and result.stat().st_mtime >= newest:
            continue
        result.parent.mkdir(exist_ok=True)
        # Beside it and then renamed: another process may be reading, or writing the same.
        descriptor, name = tempfile.mkstemp(dir=result.parent, prefix=".messages-")
        with os.fdopen(descriptor, "wb") as file:
            write_mo(file, merged(language))
        Path(name).chmod(0o644)
        Path(name).replace(result)
        written.append(language)
    return written


if __name__ == "__main__":
    compile_all()
