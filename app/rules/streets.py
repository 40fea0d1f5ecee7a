"""Street names folded for look-up: «ул. Ленина», «Ленина улица» and «ленина» are one street.

Only «улица» is left out: «проспект Ленина» is another street than «улица Ленина». The words stand in
the order of the alphabet, so «Карла Маркса» and «Маркса Карла» are one.
"""

from __future__ import annotations

import re
import unicodedata

from app.rules.errors import N_, RuleError

LONGEST = 120
"""Letters of a street's name; with its settlement the key stays within its column (250)."""
MARK = "|"
"""Between street and settlement in a key."""
STREET = frozenset({"ул", "улица"})
KINDS: dict[str, str] = {
    spelling: word
    for word, spellings in {
        "проспект": "пр пр-т пр-кт просп пркт прт",
        "проезд": "пр-д прд прзд",
        "переулок": "пер пер-к переул",
        "бульвар": "б-р бул бульв бр",
        "площадь": "пл площ пл-дь",
        "шоссе": "ш",
        "набережная": "наб",
        "тупик": "туп",
        "аллея": "ал",
        "микрорайон": "мкр мкрн мкр-н м-н мк-н микр",
        "квартал": "кв-л квл кварт",
        "линия": "лин",
        "тракт": "тр-т",
        "территория": "тер",
    }.items()
    for spelling in spellings.split()
}
DROPPED = frozenset({"им", "имени"})
SETTLEMENT_KINDS = frozenset(
    "город г поселок пос п пгт рп село с деревня дер д станица ст-ца хутор х".split()
)
"""Left out of a settlement's name: nobody types them the same way twice."""
ORDINAL = re.compile(r"^(\d+)-?(?:ая|яя|ый|ой|ий|го|ого|е|ое|я|й)$")


class StreetUnclear(RuleError):
    """Nothing is left of a street's name, or it is too long."""

    code = "street_unclear"
    text = N_("“%(text)s” is not the name of a street. Write its name, for example: ул. Ленина.")


def folded(street: str) -> str:
    """The street as look-up sees it. Raises StreetUnclear.

    >>> folded("ул. Карла Маркса"), folded("МАРКСА КАРЛА УЛИЦА"), folded("пр-т Ленина")
    ('карла маркса', 'карла маркса', 'ленина проспект')
    """
    found = [_word(word) for word in _words(street)]
    kept = [part for word in found for part in word.split("-") if part and word not in DROPPED]
    kept = sorted(word for word in kept if word not in STREET)
    name = " ".join(kept)
    if len(name) > LONGEST or not any(len(word) > 1 or word.isdigit() for word in kept):
        raise StreetUnclear(text=" ".join(street.split())[:40])
    return name


def settlement_folded(settlement: str) -> str:
    """A settlement without «г.», «пос.» and the like; empty for nothing."""
    words = _words(settlement)
    kept = [word for word in words if word not in SETTLEMENT_KINDS] or words
    return " ".join(kept)[:LONGEST]


def street_key(street: str, settlement: str = "", *, home: str = "") -> str:
    """DistrictRange.street_key. ``home``: the organization's own settlement, which is not written.

    Raises StreetUnclear.
    """
    for text in (street, settlement):
        if len(tidy(text)) > LONGEST:
            raise StreetUnclear(text=f"{tidy(text)[:40]}…")
    where = settlement_folded(settlement)
    own = folded(street)
    return own if not where or where == settlement_folded(home) else f"{own}{MARK}{where}"


def keys_typed(text: str, *, home: str = "") -> list[str]:
    """What somebody who typed «ул. Ленина, пос. Высокий» in one field may mean. Raises StreetUnclear."""
    whole = [part.strip() for part in text.split(",") if part.strip()]
    found = [street_key(" ".join(whole), home=home)]
    if len(whole) == 2:
        for street, settlement in (whole, whole[::-1]):
            try:
                found.append(street_key(street, settlement, home=home))
            except StreetUnclear:
                continue
    return list(dict.fromkeys(found))


def tidy(name: str) -> str:
    """A name as it is shown: composed, single spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _words(text: str) -> list[str]:
    """Lower-case words; hyphens stay inside them, «к.маркса» is two."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    plain = re.sub(r"[‐-―−]", "-", plain)
    plain = re.sub(r"(\d)\s*-\s*(?=[а-я])", r"\1-", plain)
    return [word.strip("-") for word in re.findall(r"[\w-]+", plain) if word.strip("-_")]


def _word(word: str) -> str:
    ordinal = ORDINAL.match(word)
    if ordinal:
        return ordinal[1]
    return KINDS.get(word, word)
