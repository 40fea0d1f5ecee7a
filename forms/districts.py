"""Forms of districts: an address, a district with its doctors, a street's rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext

from app.i18n import label, say
from app.models.directory import PractitionerRole
from app.models.district import District, DistrictRange
from app.models.enums import DistrictKind, Parity
from app.models.organization import Organization
from app.rules import houses
from app.rules.district_card import LONGEST_NUMBER, MOST_QUOTA, Term
from app.rules.district_streets import Wanted
from app.rules.errors import RuleError
from app.rules.house_ranges import Gap, Overlap, span
from app.rules.houses import HouseUnclear
from app.rules.streets import StreetUnclear, street_key
from forms.inputs import parsed_day, tidy_line, tidy_text
from forms.publishing import Error

MOST_ROWS = 200
SPARE_ROWS = 3
LONGEST = 120
LONGEST_LIST = 8000
"""Letters of a list of single houses."""


@dataclass
class Form:
    """What was typed stays; errors by the id of their field, in the order of the page."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, Error] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return tidy_line(self.values.get(name, ""))[:LONGEST_LIST]

    def wrong(self, name: str, text: str, sentence: str) -> None:
        self.errors.setdefault(name, Error(name, text, sentence))


@dataclass
class AddressForm(Form):
    """Organization, street, house (E41), from the address of the page."""

    organizations: Sequence[Organization] = ()

    @property
    def organization(self) -> Organization | None:
        """The one chosen, or the only one there is."""
        if len(self.organizations) == 1 and not self.get("organization"):
            return self.organizations[0]
        wanted = self.get("organization")
        return next((row for row in self.organizations if str(row.uid) == wanted), None)

    @property
    def asked(self) -> bool:
        """Whether something was looked for, not only an organization chosen."""
        return bool(self.get("street") or self.get("house"))

    def read(self) -> bool:
        """Whether it is an address; False with ``errors``."""
        if self.organization is None:
            self.wrong("organization", gettext("Medical institution"), gettext("Choose the institution, please."))  # fmt: skip
        if not self.get("street"):
            self.wrong("street", gettext("Street"), gettext("Type the street, please."))
        else:
            try:
                street_key(self.get("street"))
            except StreetUnclear as refusal:
                self.wrong("street", gettext("Street"), say(refusal))
        if not self.get("house"):
            self.wrong("house", gettext("House number"), gettext("Type the house number, please."))
        else:
            try:
                houses.parse(self.get("house"))
            except HouseUnclear as refusal:
                self.wrong("house", gettext("House number"), say(refusal))
        return not self.errors


@dataclass
class DistrictForm(Form):
    """A district: kind (of a new one), number, slots on the site, doctors with their dates."""

    roles: Sequence[PractitionerRole] = ()
    new: bool = False

    def fill(self, row: District) -> None:
        """As the district is now."""
        said = {
            "number": row.number,
            "web_quota": "" if row.web_quota is None else str(row.web_quota),
            "note": row.note,
            "is_active": "1" if row.is_active else "",
        }
        for place, term in enumerate(row.doctors):
            said |= {
                f"doctor-{place}": str(term.role.uid) if term.role else "",
                f"from-{place}": term.starts_on.isoformat(),
                f"until-{place}": term.ends_on.isoformat() if term.ends_on else "",
            }
        self.values = said

    @property
    def rows(self) -> range:
        """Numbers of the lines of doctors: those filled in and one more."""
        used = [n for n in range(40) if self._used(n)]
        return range((used[-1] + 1 if used else 0) + 1)

    def _used(self, place: int) -> bool:
        return any(self.get(f"{name}-{place}") for name in ("doctor", "from", "until"))

    def read(self) -> dict[str, Any] | None:
        """Arguments of ``app.rules.district_card.create`` or ``edit``; None with ``errors``."""
        given: dict[str, Any] = {
            "number": self.get("number"),
            "web_quota": self._quota(),
            "note": tidy_text(self.values.get("note", ""))[:2000],
            "terms": [term for place in self.rows if (term := self._term(place)) is not None],
        }
        if not given["number"] or len(given["number"]) > LONGEST_NUMBER:
            self.wrong("number", gettext("Number"), gettext("Give the district's number, at most %(most)s characters.", most=LONGEST_NUMBER))  # fmt: skip
        if self.new:
            kind = next((k for k in DistrictKind if k.value == self.get("kind")), None)
            if kind is None:
                self.wrong("kind", gettext("Kind"), gettext("Choose the kind of the district."))
            given["kind"] = kind
        else:
            given["is_active"] = self.get("is_active") == "1"
        return None if self.errors else given

    def _quota(self) -> int | None:
        typed = self.get("web_quota")
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and int(typed[:6]) <= MOST_QUOTA:
            return int(typed[:6])
        sentence = gettext("Slots a day on the site: a number from 0 to %(most)s.", most=MOST_QUOTA)
        self.wrong("web_quota", gettext("Slots a day on the site"), sentence)
        return None

    def _term(self, place: int) -> Term | None:
        chosen = self.get(f"doctor-{place}")
        if not chosen:  # a line without a doctor is a line taken away
            return None
        role = next((row for row in self.roles if str(row.uid) == chosen), None)
        if role is None:
            self.wrong(f"doctor-{place}", gettext("Doctor"), gettext("Choose one from the list, please."))  # fmt: skip
        starts, ends = (self._day(f"{name}-{place}") for name in ("from", "until"))
        if starts is None:
            self.wrong(f"from-{place}", gettext("From"), gettext("Type a date, please."))
        if role is None or starts is None:
            return None
        return Term(role.id, starts, ends)

    def _day(self, name: str) -> dt.date | None:
        typed = self.get(name)
        day = parsed_day(typed) if typed else None
        if typed and day is None:
            self.wrong(name, gettext("Date"), gettext("Type a date, please."))
        return day


@dataclass
class StreetForm(Form):
    """The rows of one street: district, side, from, to, single houses, houses left out."""

    districts: Sequence[District] = ()

    def fill(self, rows: Sequence[DistrictRange]) -> None:
        """As the street is now."""
        said = {"street": rows[0].street, "settlement": rows[0].settlement} if rows else {}
        for place, row in enumerate(rows):
            said |= {
                f"district-{place}": str(row.district.uid),
                f"parity-{place}": row.parity.value,
                f"first-{place}": str(row.first_house or ""),
                f"last-{place}": str(row.last_house or ""),
                f"houses-{place}": ", ".join(row.houses),
                f"except-{place}": ", ".join(row.except_houses),
            }
        self.values = said

    @property
    def rows(self) -> range:
        """Numbers of the rows on the page: up to the last one used and some to fill in."""
        used = [n for n in range(MOST_ROWS) if self._used(n)]
        return range(min((used[-1] + 1 if used else 0) + SPARE_ROWS, MOST_ROWS))

    def _used(self, place: int) -> bool:
        names = ("district", "first", "last", "houses", "except")
        return any(self.get(f"{name}-{place}") for name in names)

    def read(self) -> list[Wanted] | None:
        """The rows that have a district; None with ``errors``."""
        if not self.get("street") or len(self.get("street")) > LONGEST:
            self.wrong("street", gettext("Street"), gettext("Type the street, please."))
        if len(self.get("settlement")) > LONGEST:
            self.wrong("settlement", gettext("Settlement"), gettext("The name of the settlement is too long."))  # fmt: skip
        wanted = [row for place in self.rows if (row := self._row(place)) is not None]
        return None if self.errors else wanted

    def _row(self, place: int) -> Wanted | None:
        if not self._used(place):
            return None
        text = gettext("Row %(number)s", number=place + 1)
        chosen = self.get(f"district-{place}")
        if not chosen:  # a row without a district is a row taken away
            return None
        district = next((row for row in self.districts if str(row.uid) == chosen), None)
        if district is None:
            self.wrong(f"district-{place}", text, gettext("Choose one from the list, please."))
            return None
        try:
            made = span(
                kind=district.kind,
                district=district.number,
                parity=self._parity(place),
                first=self._end(f"first-{place}", text),
                last=self._end(f"last-{place}", text),
                houses=self._houses(f"houses-{place}", text),
                excepted=self._houses(f"except-{place}", text),
            )
        except RuleError as refusal:
            self.wrong(f"first-{place}", text, say(refusal))
            return None
        return Wanted(district, made)

    def _parity(self, place: int) -> Parity:
        typed = self.get(f"parity-{place}")
        return next((side for side in Parity if side.value == typed), Parity.ALL)

    def _end(self, name: str, text: str) -> int | None:
        typed = self.get(name)
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and len(typed) < 6:
            return int(typed)
        sentence = gettext("A range goes from a number to a number; houses like 12/3 or 7к2 stand among the single ones.")  # fmt: skip
        self.wrong(name, text, sentence)
        return None

    def _houses(self, name: str, text: str) -> list[houses.House]:
        try:
            return houses.listed(self.get(name))
        except HouseUnclear as refusal:
            self.wrong(name, text, say(refusal))
            return []


# --- words


def district_words(kind: DistrictKind, number: str) -> str:
    """«Участок №91, Терапевтический» (row E42)."""
    return gettext("District No. %(number)s, %(kind)s", number=number, kind=label(kind))


def houses_words(told: Gap | Overlap) -> str:
    """«нечётные дома 11–19», «дом 7А»."""
    if told.houses:
        if len(told.houses) == 1:
            return gettext("house %(number)s", number=told.houses[0])
        return gettext("houses %(list)s", list=", ".join(told.houses))
    if told.first == told.last:
        return gettext("house %(number)s", number=told.first)
    ends = {"first": told.first, "last": told.last}
    open_end = told.last is None
    if told.parity is Parity.ODD:
        return gettext("odd houses from %(first)s on", **ends) if open_end else gettext("odd houses %(first)s–%(last)s", **ends)  # fmt: skip
    if told.parity is Parity.EVEN:
        return gettext("even houses from %(first)s on", **ends) if open_end else gettext("even houses %(first)s–%(last)s", **ends)  # fmt: skip
    return gettext("houses from %(first)s on", **ends) if open_end else gettext("houses %(first)s–%(last)s", **ends)  # fmt: skip


def gap_words(gap: Gap) -> str:
    return gettext(
        "%(kind)s: %(houses)s belong to no district.",
        kind=label(gap.kind),
        houses=houses_words(gap),
    )


def overlap_words(found: Overlap) -> str:
    one, two = found.districts
    return gettext(
        "%(kind)s: %(houses)s stand both in district No. %(one)s and in No. %(two)s.",
        kind=label(found.kind),
        houses=houses_words(found),
        one=one,
        two=two,
    )
