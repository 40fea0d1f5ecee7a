"""The house's spelling in what donors read: ё is written wherever it is spoken."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT = re.compile(
    r"\b(ее|нее|еще|нем|моем|идет|ждем|ждет|ведет|уйдет|придет|пойдет|пройдет|прочтет|назовет|задает|сдает|сдаете"
    r"|днем|пришел|изменен|сохранен|подтвержден|населенный|черн(ом|ое)|учетн\w+|произойдет|пришлем|все-таки)\b",
    re.IGNORECASE,
)
READ_BY_PEOPLE = [
    path.relative_to(ROOT).as_posix()
    for folder in ("app/translations/ru", "app/data/letters/ru", "docs/guides")
    for path in sorted((ROOT / folder).iterdir())
    if path.suffix in (".po", ".txt", ".html", ".md", ".json")
] + ["app/data/starter.json", "docs/donor-file.md", "docs/operate.md", "README.md"]


@pytest.mark.parametrize("path", READ_BY_PEOPLE)
def test_yo_is_written_where_it_is_spoken(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not [match[0] for match in WITHOUT.finditer(text)]


RUSSIAN = re.compile(r"[а-яё]", re.IGNORECASE)


@pytest.mark.parametrize("path", [path for path in READ_BY_PEOPLE if path.startswith("app/")])
def test_a_short_message_is_written_in_russian_as_the_source_writes_it(path: str) -> None:
    """«СМС» (system E): one word on the site, at the desk and in letters."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if not line.startswith("msgid") and RUSSIAN.search(line)]
    assert not [line for line in said if re.search(r"\bSMS\b", line) and "name_en" not in line]


def test_a_word_without_its_yo_is_noticed() -> None:
    assert WITHOUT.findall("Мы еще ждем ее")
    assert not WITHOUT.findall("Мы ещё ждём её на приёме")
