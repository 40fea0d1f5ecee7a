"""Russian house numbers as values: one spelling for many («12/3», «7 корп. 2», «14 а», «д. 5 стр. 1»).

The number before the corner decides which side of the street a house is on and which range it falls in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from app.rules.errors import N_, RuleError

LARGEST = 9999
LATIN = str.maketrans("abekmhopctyx", "авекмнорстух")
"""Letters that look alike and are typed for one another."""
PREFIX = re.compile(r"^(?:дом|д|владение|влд|вл)(?![а-я])[\s.]*")
KORPUS = r"(?:корпус|корп|кор|к)"
BUILDING = r"(?:строение|стр|с)"
ALONE = rf"(?!\.?\s*\d)(?!(?!(?:{KORPUS}|{BUILDING})[\s.]*\d)[а-я])"
"""After a letter: neither its number («к2» is no letter К) nor the rest of a word."""
LETTER = rf"(?:\s*(?P<%s>[а-я]){ALONE})?"
HOUSE = re.compile(
    r"(?P<number>\d{1,4})"
    rf"\s*(?:(?:литера|литер|лит)?[\s.]*[«\"]?(?P<letter>[а-я])[»\"]?{ALONE})?"
    rf"(?:\s*[/\\]\s*(?P<corner>\d{{1,4}}){LETTER % 'corner_letter'})?"
    rf"(?:[\s,]*{KORPUS}[\s.]*(?P<korpus>\d{{1,4}}){LETTER % 'korpus_letter'})?"
    rf"(?:[\s,]*{BUILDING}[\s.]*(?P<building>\d{{1,4}}){LETTER % 'building_letter'})?"
)


class HouseUnclear(RuleError):
    """What was typed is no house number that can be looked up."""

    code = "house_unclear"
    text = N_(
        "“%(text)s” is not a house number. Write it without the flat, like this: 12, 14А, 12/3, 7к2, 5 стр. 1."
    )


@dataclass(frozen=True, order=True)
class House:
    """One house. In order: 7, 7 стр. 1, 7к1, 7к2, 7/2, 7А, 8."""

    number: int
    letter: str = ""
    corner: int = 0
    corner_letter: str = ""
    korpus: int = 0
    korpus_letter: str = ""
    building: int = 0
    building_letter: str = ""

    def __str__(self) -> str:
        text = f"{self.number}{self.letter}"
        if self.corner:
            text += f"/{self.corner}{self.corner_letter}"
        if self.korpus:
            text += f"к{self.korpus}{self.korpus_letter}"
        if self.building:
            text += f" стр. {self.building}{self.building_letter}"
        return text

    @property
    def base(self) -> House:
        """The number alone: 7 of «7к2»."""
        return House(self.number)


def parse(text: str) -> House:
    """The house that ``text`` means, whatever its spelling. Raises HouseUnclear.

    >>> str(parse("д. 7 корп. 2")), str(parse("14 а")), str(parse("5 строение 1"))
    ('7к2', '14А', '5 стр. 1')
    """
    plain = unicodedata.normalize("NFKC", text.replace("№", " ")).casefold().replace("ё", "е")
    plain = " ".join(plain.translate(LATIN).split()).rstrip(".,; ")
    plain = PREFIX.sub("", plain)
    found = HOUSE.fullmatch(plain) if plain.isprintable() and len(plain) <= 40 else None
    if found is None:
        raise HouseUnclear(text=_short(text))
    said = {
        name: _number(part) if part and part.isdigit() else (part or "").upper()
        for name, part in found.groupdict().items()
    }
    numbers = {name: said[name] or 0 for name in ("number", "corner", "korpus", "building")}
    if any(found[name] and not numbers[name] for name in numbers):  # «0», «7к0»
        raise HouseUnclear(text=_short(text))
    return House(**{**said, **numbers})  # type: ignore[arg-type]


def listed(text: str) -> list[House]:
    """The houses of a list («1, 3, 7 корп. 2; 9»), each once, in their order. Raises HouseUnclear."""
    parts = re.split(r"[;\n]|,(?!\s*(?:к|корп|корпус|стр|строение|лит)\b)", text)
    return sorted({parse(part) for part in parts if part.strip(" .")})


def spelled(houses: Iterable[House]) -> list[str]:
    """Their one spelling, in order."""
    return [str(house) for house in sorted(houses)]


def _number(digits: str) -> int:
    return int(digits) if digits.isascii() else 0


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 30 else f"{line[:30]}…"
