"""What one cell of a donor file means: blood groups, signs, dates and words in their many spellings.

Pure functions of text. Each returns the value as it is kept in JSON, or raises BadCell with the reason.
The format is described in docs/donor-file.md.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping

from app.models.enums import BloodGroup, DeferralKind, DonationKind, Sex, Sign
from app.rules.errors import N_, RuleError

LOOKALIKES = str.maketrans("ОАВІ0", "OABIO")
"""Cyrillic letters and the digit nought that people type for Latin ones."""
GROUPS: dict[str, BloodGroup] = {
    **dict.fromkeys(("O", "I", "1"), BloodGroup.O),
    **dict.fromkeys(("A", "II", "2", "A1", "A2"), BloodGroup.A),
    **dict.fromkeys(("B", "III", "3"), BloodGroup.B),
    **dict.fromkeys(("AB", "IV", "4", "A1B", "A2B"), BloodGroup.AB),
}
SIGNS: dict[str, Sign] = {
    **dict.fromkeys(
        ("+", "пол", "полож", "положит", "положительный", "положительная", "pos", "positive"),
        Sign.POSITIVE,
    ),
    **dict.fromkeys(
        ("-", "отр", "отриц", "отрицат", "отрицательный", "отрицательная", "neg", "negative"),
        Sign.NEGATIVE,
    ),
}
SIGN_OF_WHAT = re.compile(
    r"^(?:rh|резус|рез|kell|келл|k|к)?(?:[ -]*фактор)?(?=[^a-zа-я]|пол|отр|pos|neg)"
)
SEXES: dict[str, Sex] = {
    **dict.fromkeys(("м", "муж", "мужской", "мужчина", "m", "male"), Sex.MALE),
    **dict.fromkeys(("ж", "жен", "женский", "женщина", "f", "female"), Sex.FEMALE),
}
DEFERRALS: dict[str, DeferralKind | None] = {
    **dict.fromkeys(("нет", "не имеется", "без отвода", "no", "none"), None),
    **dict.fromkeys(("временный", "врем", "временный отвод", "temporary"), DeferralKind.TEMPORARY),
    **dict.fromkeys(
        ("постоянный", "пост", "постоянный отвод", "абсолютный", "permanent"),
        DeferralKind.PERMANENT,
    ),
}
KINDS: dict[str, DonationKind] = {
    **dict.fromkeys(("кровь", "цельная кровь", "кроводача", "blood"), DonationKind.BLOOD),
    **dict.fromkeys(("плазма", "плазмаферез", "пф", "п ф", "plasma"), DonationKind.PLASMA),
    **dict.fromkeys(
        ("тромбоциты", "тромбоцитаферез", "тромбоцитоферез", "тф", "т ф", "platelets"),
        DonationKind.PLATELETS,
    ),
    **dict.fromkeys(
        ("эритроциты", "эритроцитаферез", "эф", "э ф", "red cells"), DonationKind.RED_CELLS
    ),
}
CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z/-]{0,19}")
"""As donors type it (forms.validators.DONOR_CODE): anything else would match nobody."""
LATIN = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
DATE = re.compile(
    r"(?:(?P<d>[0-9]{1,2})[./-](?P<m>[0-9]{1,2})[./-](?P<y>[0-9]{4})"
    r"|(?P<iy>[0-9]{4})-(?P<im>[0-9]{2})-(?P<id>[0-9]{2}))"
    r"(?:[ T][0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)?"
)


class BadCell(RuleError):
    """Why a cell cannot be taken. ``params`` are plain text: they wait in the dry run's row."""

    code = "bad_cell"

    def __init__(self, text: str, **params: str) -> None:
        super().__init__(**params)
        self.text = text


def plain(text: str) -> str:
    """The cell without control, zero-width and direction marks, single-spaced. Raises BadCell for NUL."""
    if "\x00" in text:
        raise BadCell(N_("The line holds bytes that are not text."))
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = unicodedata.normalize("NFC", text.replace("\u00a0", " ").replace("\t", " "))
    return " ".join("".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf")).split())


def words(text: str) -> str:
    """Folded for look-up: lower case, ё as е, anything but letters and digits as one space."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return " ".join(re.sub(r"[\W_]+", " ", folded).split())


def donor_code(text: str) -> str:
    """«456545» (row A14). Spreadsheets make «456545,0» of it."""
    code = re.sub(r"[.,]0+$", "", text) if re.fullmatch(r"[0-9]+[.,]0+", text) else text
    code = code.replace(" ", "").translate(LATIN)
    if not code:
        raise BadCell(N_("There is no donor code."))
    if not CODE.fullmatch(code):
        raise BadCell(
            N_("“%(value)s” is not a donor code: up to 20 digits and Latin letters."),
            value=text[:40],
        )
    return code


def blood_group(text: str) -> tuple[str, str | None]:
    """Group, and Rh if it stands in the same cell: «I», «0 (I)», «A(II) Rh+»."""
    upper = re.sub("ГР(?:УППА)?", " ", unicodedata.normalize("NFKC", text).upper())
    found = re.fullmatch(r"(?P<group>.*?)(?P<rh>[\s,]*\(?RH.*|\s*\(?[-+−–—]\)?)?", upper)
    assert found is not None  # everything fits «.*?»
    tokens = re.findall(r"[^\W_]+", found["group"].translate(LOOKALIKES))
    groups = {GROUPS.get(token) for token in tokens}
    group = groups.pop() if len(groups) == 1 else None
    if group is None:
        raise BadCell(
            N_("“%(value)s” is not a blood group: I (O), II (A), III (B) or IV (AB)."),
            value=text[:40],
        )
    return group.value, sign(found["rh"].strip(" ,")) if found["rh"] else None


def sign(text: str) -> str:
    """«+» or «-»: «Rh+», «положительный», «отр.», «K−»."""
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    bare = re.sub(r"\(d\)|[\s().:]", "", SIGN_OF_WHAT.sub("", folded))
    found = SIGNS.get(re.sub("[−–—]", "-", bare))
    if found is None:
        raise BadCell(N_("“%(value)s” is neither positive nor negative."), value=text[:40])
    return found.value


def sex(text: str) -> str:
    found = SEXES.get(words(text))
    if found is None:
        raise BadCell(N_("“%(value)s” is not a sex: М or Ж."), value=text[:40])
    return found.value


def date(text: str) -> dt.date:
    """«14.02.1988», «1988-02-14»; the time a spreadsheet adds is dropped. Years have four figures."""
    found = DATE.fullmatch(text)
    if found is not None:
        parts = [found[name] for name in (("y", "m", "d") if found["y"] else ("iy", "im", "id"))]
        try:
            return dt.date(*(int(part) for part in parts))
        except ValueError:
            pass
    raise BadCell(N_("“%(value)s” is not a date: day.month.year, as 14.02.1988."), value=text[:40])


def past_date(text: str, today: dt.date) -> str:
    """A date that has come, in this or the last century."""
    found = date(text)
    if not dt.date(1900, 1, 1) <= found <= today:
        raise BadCell(N_("%(value)s lies in the future or too far back."), value=text[:40])
    return found.isoformat()


def deferral_kind(text: str) -> str | None:
    """«временный», «постоянный», or None for «нет»."""
    if re.fullmatch(r"[-−–—]+", text):
        return None
    key = words(text)
    if key not in DEFERRALS:
        raise BadCell(
            N_("“%(value)s” is not a deferral: none, temporary or permanent."), value=text[:40]
        )
    kind = DEFERRALS[key]
    return None if kind is None else kind.value


def donation_kind(text: str, own: Mapping[str, DonationKind]) -> str:
    """What was given: our words for it, or the name of one of the organization's donation types."""
    key = words(text)
    found = KINDS.get(key) or own.get(key)
    if found is None:
        raise BadCell(N_("“%(value)s” is not a kind of donation."), value=text[:40])
    return found.value


def name(text: str) -> str:
    """A name as written; one in capitals alone is written as names are."""
    if len(text) > 80:
        raise BadCell(
            N_("“%(value)s…” is too long: at most %(most)s characters."), value=text[:20], most="80"
        )
    return text.title() if text.isupper() and len(text) > 1 else text
