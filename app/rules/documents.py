"""Numbers of the documents a person is known by: read as people type them, checked, shown, masked.

Sources: the 16-digit policy ends with a check digit by ISO/HL7 27931 Mod10 (plain Luhn over all 16);
SNILS by the Pension Fund's rule (consultant.ru, cons_doc_LAW_124607), checked above 001-001-998 only.
A passport has no check digit. Of an older policy the number alone is kept, as seed B's registry knows
it («без серии»): its series differs by region and insurer, and people do not know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.models.enums import DocumentKind
from app.rules.errors import N_, RuleError

INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
BETWEEN = re.compile(r"[\s.,:;/\\#№_\u2010-\u2015\u2212-]+")
"""What people put between the parts of a number."""
WORDS = frozenset("СЕРИЯ НОМЕР ПОЛИС ОМС ДМС СНИЛС ПАСПОРТ".split())
DIGITS = re.compile("[0-9]+")
LATIN, CYRILLIC = "ABEKMHOPCTYX", "АВЕКМНОРСТУХ"
TO_LATIN = str.maketrans(CYRILLIC, LATIN)
TO_CYRILLIC = str.maketrans(LATIN, CYRILLIC)
ROMAN = str.maketrans({"1": "I", "L": "I", "|": "I", "І": "I", "П": "II", "Ш": "III",
                       "У": "V", "Y": "V", "Х": "X"})  # fmt: skip
"""What is typed for Roman numerals, in capitals: small «l», ones, Russian letters that look alike."""
ROMAN_NUMBER = re.compile("(?=.)X{0,3}(IX|IV|V?I{0,3})")
LONGEST = 30
CHECKED_ABOVE = 1_001_998
"""SNILS numbers up to 001-001-998 were given out before there were check digits."""
SECOND = (
    DocumentKind.PASSPORT,
    DocumentKind.SOCIAL_CARD,
    DocumentKind.BIRTH_CERTIFICATE,
    DocumentKind.SNILS,
)
"""The four that may stand beside the policy (row B10)."""

EMPTY = N_("Enter the number of the document.")
ONLY_DIGITS = N_("Only digits, please: there is a letter or another sign in the number.")
OMS_LENGTH = N_(
    "The number of a policy has 16 digits, of a temporary certificate 9; you have typed %(count)s. "
    "Of an older policy type the number without the series."
)
OMS_CHECK = N_(
    "There is a slip in the number of the policy: its last digit does not fit the others. Compare "
    "all 16 digits, please. Of an older policy type the number without the series."
)
SNILS_LENGTH = N_("A SNILS has 11 digits, like 112-233-445 95; you have typed %(count)s.")
SNILS_CHECK = N_(
    "There is a slip in the SNILS: its last two digits do not fit the others. Compare all 11 digits, please."
)
PASSPORT_LENGTH = N_(
    "A passport has 4 digits of the series and 6 of the number, like 45 08 123456; you have typed %(count)s."
)
SOCIAL_CARD_LENGTH = N_("A social card has 6 to 20 digits; you have typed %(count)s.")
LETTERS_AND_DIGITS = N_("Only letters and digits, please: there is another sign in the number.")
TOO_LONG = N_("The number of the document has 30 letters and digits at most.")
BIRTH_DIGITS = N_("A birth certificate ends with 6 digits, like I-АБ 123456.")
BIRTH_LETTERS = N_(
    "Before the 6 digits of a birth certificate stand two Russian letters, like I-АБ 123456."
)
BIRTH_ROMAN = N_("A birth certificate begins with a Roman number, like I-АБ 123456.")
SECOND_SHAPE = N_(
    "Enter the number of the passport, social card, birth certificate or SNILS: "
    "4 to 30 digits and letters, it may be without the series."
)


class BadDocument(RuleError):
    """What was typed cannot be such a number. The sentence never repeats what was typed."""

    code = "bad_document"

    def __init__(self, text: str, **params: int) -> None:
        super().__init__(**params)
        self.text = text


def normalised(kind: DocumentKind, text: str) -> str:
    """The number as it is kept: digits and capital letters only. Raises BadDocument.

    >>> normalised(DocumentKind.SNILS, "112-233-445 95")
    '11223344595'
    """
    parts = _parts(text)
    if not parts:
        raise BadDocument(EMPTY)
    return READERS[kind](parts)


def second(text: str) -> str:
    """The second number of row B9, of a kind that is not asked for, to give to ``is_named_by``.

    Raises BadDocument.
    """
    plain = _look(_parts(text))
    if not re.fullmatch("[0-9A-ZА-ЯЁІ]{4,30}", plain):
        raise BadDocument(SECOND_SHAPE)
    return plain


def names_of(kind: DocumentKind, number: str) -> tuple[str, str]:
    """What ``second`` may give for a number that is kept: with its series and without."""
    whole = _look([number])
    short = kind in (DocumentKind.PASSPORT, DocumentKind.BIRTH_CERTIFICATE)
    return whole, whole[-6:] if short else whole


def shown(kind: DocumentKind, number: str) -> str:
    """A kept number as it is printed: «112-233-445 95», «45 08 123456», «I-АБ 123456»."""
    if kind is DocumentKind.SNILS:
        return f"{number[:3]}-{number[3:6]}-{number[6:9]} {number[9:]}"
    if kind is DocumentKind.PASSPORT:
        return f"{number[:2]} {number[2:4]} {number[4:]}"
    if kind is DocumentKind.BIRTH_CERTIFICATE:
        return f"{number[:-8]}-{number[-8:-6]} {number[-6:]}"
    if kind is DocumentKind.OMS and len(number) == 16:
        return " ".join(number[start : start + 4] for start in range(0, 16, 4))
    return number


def masked(number: str) -> str:
    """«832*****567» (row E56), always five stars; of a short number the last two signs alone."""
    return f"{number[:3]}*****{number[-3:]}" if len(number) >= 11 else f"*****{number[-2:]}"


def policy_check_digit(digits: str) -> int:
    """The 16th digit of a policy that begins with these 15."""
    doubled = "".join(str(int(d) * 2) if place % 2 == 0 else d for place, d in enumerate(digits))
    return -sum(map(int, doubled)) % 10


def snils_check(digits: str) -> str:
    """The last two digits of a SNILS that begins with these nine."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(9, 0, -1), strict=True))
    return f"{total % 101 % 100:02}"


# --- reading each kind, from its parts in capitals --------------------------------------------


def _parts(text: str) -> list[str]:
    """Groups of letters and digits, without the words that stand before them."""
    parts = BETWEEN.split(INVISIBLE.sub("", text).upper())
    return [part for part in parts if part and part not in WORDS]


def _look(parts: list[str]) -> str:
    """Letters that look alike are one letter."""
    return "".join(parts).translate(TO_LATIN)


def _digits(parts: list[str]) -> str:
    joined = "".join(parts)
    if not DIGITS.fullmatch(joined):
        raise BadDocument(ONLY_DIGITS)
    return joined


def _long(digits: str, least: int, most: int, fault: str) -> str:
    if not least <= len(digits) <= most:
        raise BadDocument(fault, count=len(digits))
    return digits


def _oms(parts: list[str]) -> str:
    """16 digits with their check; else 6 to 10, and before them a series, which is left out."""
    joined, number = "".join(parts), parts[-1]
    series = joined.removesuffix(number)
    older = DIGITS.fullmatch(number) and 6 <= len(number) <= 10 and len(series) <= 6
    whole = DIGITS.fullmatch(joined) and len(joined) in (8, 9, 16)
    if older and series.isalnum() and not whole:
        return number
    digits = _digits(parts)
    if len(digits) != 16:
        return _long(digits, 6, 10, OMS_LENGTH)
    if policy_check_digit(digits[:15]) != int(digits[15]):
        raise BadDocument(OMS_CHECK)
    return digits


def _snils(parts: list[str]) -> str:
    digits = _long(_digits(parts), 11, 11, SNILS_LENGTH)
    if int(digits[:9]) > CHECKED_ABOVE and snils_check(digits[:9]) != digits[9:]:
        raise BadDocument(SNILS_CHECK)
    return digits


def _passport(parts: list[str]) -> str:
    return _long(_digits(parts), 10, 10, PASSPORT_LENGTH)


def _social_card(parts: list[str]) -> str:
    return _long(_digits(parts), 6, 20, SOCIAL_CARD_LENGTH)


def _dms(parts: list[str]) -> str:
    """Each insurer has numbers of its own: any letters and digits."""
    plain = _look(parts)
    if len(plain) > LONGEST:
        raise BadDocument(TOO_LONG)
    if not re.fullmatch("[0-9A-ZА-ЯЁ]+", plain):
        raise BadDocument(LETTERS_AND_DIGITS)
    return plain


def _birth_certificate(parts: list[str]) -> str:
    """A Roman number in Latin letters, two Russian letters, 6 digits, whatever they were typed with."""
    joined = "".join(parts)
    head, digits = joined[:-6], joined[-6:]
    if not re.fullmatch("[0-9]{6}", digits) or len(joined) > LONGEST:
        raise BadDocument(BIRTH_DIGITS)
    letters = head[-2:].translate(TO_CYRILLIC)
    if not re.fullmatch("[А-ЯЁ]{2}", letters):
        raise BadDocument(BIRTH_LETTERS)
    roman = head[:-2].translate(ROMAN)
    if not ROMAN_NUMBER.fullmatch(roman):
        raise BadDocument(BIRTH_ROMAN)
    return roman + letters + digits


READERS: dict[DocumentKind, Callable[[list[str]], str]] = {
    DocumentKind.OMS: _oms,
    DocumentKind.SNILS: _snils,
    DocumentKind.PASSPORT: _passport,
    DocumentKind.DMS: _dms,
    DocumentKind.BIRTH_CERTIFICATE: _birth_certificate,
    DocumentKind.SOCIAL_CARD: _social_card,
}
