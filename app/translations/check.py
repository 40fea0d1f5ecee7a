"""Is every sentence of the sources translated, once, with the same places, and nothing else?

``python -m app.translations.check`` prints the faults and exits 1 if there are any. Sources are English
and Russian is complete; the English catalogue may only say some sentences differently.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir

from app.translations.compile import FOLDER, LANGUAGES, parts, read_part

ROOT = FOLDER.parent.parent
SOURCES = ("app", "admin", "forms", "templates")
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.xml", "jinja2")]
OPTIONS = {"**.html": {"silent": "false"}, "**.txt": {"silent": "false"}}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
}
PLACE = re.compile(r"%\((\w+)\)|\{(\w*)\}")
COMPLETE = "ru"

Key = tuple[str, str]
"""Context («» if none) and the message, of a plural the first form."""


@dataclass(frozen=True)
class Source:
    """Where a sentence stands, and its plural if it has one."""

    place: str
    plural: str | None


def sources(root: Path = ROOT) -> dict[Key, Source]:
    """Every sentence marked for translation in the program and its templates."""
    found: dict[Key, Source] = {}
    for folder in SOURCES:
        # Letters of app/data are whole files in each language; their .txt is not a template.
        chosen = METHODS if folder == "templates" else METHODS[:1]
        rows = extract_from_dir(root / folder, chosen, OPTIONS, keywords=KEYWORDS)
        for name, line, message, _comments, context in rows:
            first, plural = message[:2] if isinstance(message, tuple) else (message, None)
            found.setdefault((context or "", first), Source(f"{folder}/{name}:{line}", plural))
    return found


def faults(root: Path = ROOT) -> Iterator[str]:
    """One line for each thing that is wrong, with its place."""
    wanted = sources(root)
    for (_, text), source in wanted.items():
        # An English sentence may quote Russian words, of a file's headings for example.
        if len(re.findall("[а-яёА-ЯЁ]", text)) > len(re.findall("[a-zA-Z]", text)):
            yield f"{source.place}: «{text}» is not English"
    for language in LANGUAGES:
        given: dict[Key, list[str]] = defaultdict(list)
        for path in parts(language):
            for message in read_part(path, language):
                if message.id:
                    place = f"{language}/{path.name}:{message.lineno}"
                    given[_key(message)].append(place)
                    yield from _message(message, place, wanted.get(_key(message)))
        for (_, text), places in given.items():
            if len(places) > 1:
                yield f"{places[0]}: “{text}” stands in {places[1]} too"
        if language == COMPLETE:
            for key, source in wanted.items():
                if key not in given:
                    yield f"{source.place}: “{key[1]}” has no {language} translation"


def _key(message: Message) -> Key:
    text: Any = message.id
    return message.context or "", text if isinstance(text, str) else text[0]


def _message(message: Message, place: str, source: Source | None) -> Iterator[str]:
    text = _key(message)[1]
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    plural = message.id[1] if isinstance(message.id, (list, tuple)) else None
    if source is None:
        yield f"{place}: “{text}” is said nowhere"
    elif source.plural != plural:
        yield f"{place}: “{text}” has another plural in {source.place}"
    if message.fuzzy:
        yield f"{place}: “{text}” is marked fuzzy"
    if not all(strings):
        yield f"{place}: “{text}” is not translated"
        return
    named = places(text) | places(plural or "")
    for number, string in enumerate(strings):
        # «1 место» may leave out the number, a later form may not.
        kept = places(string) | (named if plural and number == 0 else set())
        if kept != named or places(string) - named:
            yield f"{place}: “{string}” has other places than “{text}”"


def places(text: str) -> set[str]:
    """Names between %( ) or { } in a sentence."""
    return {a or b for a, b in PLACE.findall(text)}


def main() -> int:
    found = list(faults())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
