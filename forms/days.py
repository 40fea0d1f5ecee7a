"""Forms of published days: filters in the address, places by time, closing, pausing a type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext

from app.models.blood import EVERY_TYPE, BloodType
from app.models.donation_type import DonationType
from app.models.enums import ScheduleStatus
from app.models.organization import Organization
from app.rules.clock import instant, local
from app.rules.day_list import OPEN, Time, Wish
from forms import matrix_texts as texts
from forms.publishing import Error

MOST_PLACES = 200
LONGEST_REASON = 200
LONGEST_NOTICE = 2000
STATUSES = {
    "open": OPEN,
    "published": (ScheduleStatus.PUBLISHED,),
    "paused": (ScheduleStatus.PAUSED,),
    "closed": (ScheduleStatus.CLOSED,),
    "all": (*OPEN, ScheduleStatus.CLOSED),
}


@dataclass
class DaysFilter:
    """``?from=&to=&branch=&type=&blood=&state=&page=``; what is not understood is left out."""

    given: Mapping[str, str]
    branches: Sequence[Organization]
    types: Sequence[DonationType]
    today: dt.date

    def get(self, name: str) -> str:
        return self.given.get(name, "")

    def wish(self, publication_id: int | None = None) -> Wish:
        """What the list is asked for. Of one publication: all its days, whatever their date."""
        start = dt.date.min if publication_id is not None else self.today
        page = self.get("page")
        return Wish(
            first=self._day("from") or start,
            last=self._day("to"),
            organization_id=next(
                (b.id for b in self.branches if str(b.uid) == self.get("branch")), None
            ),
            donation_type_id=next(
                (t.id for t in self.types if str(t.uid) == self.get("type")), None
            ),
            blood_type=self._blood(),
            statuses=STATUSES.get(self.get("state"), OPEN),
            publication_id=publication_id,
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
        )

    def _day(self, name: str) -> dt.date | None:
        try:
            return texts.one_date(self.get(name), self.today)
        except ValueError:
            return None

    def _blood(self) -> BloodType | None:
        return next((t for t in EVERY_TYPE if str(t) == self.get("blood")), None)

    @property
    def narrowed(self) -> bool:
        names = ("from", "to", "branch", "type", "blood", "state", "publication")
        return any(self.get(name) for name in names)

    def query(self, **changes: str) -> dict[str, str]:
        """Parameters of a link to the same list."""
        names = ("from", "to", "branch", "type", "blood", "state", "publication")
        kept = {name: self.get(name) for name in names}
        return {name: value for name, value in (kept | changes).items() if value}


@dataclass
class PlacesForm:
    """The number of places at each time, and new times. Only numbers that were changed count.

    Each field has its former number beside it (``was-…``): what a colleague changed meanwhile at
    another time is not undone.
    """

    date: dt.date
    zone: str
    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, Error] = field(default_factory=dict)
    wanted: dict[dt.datetime, int] = field(default_factory=dict)
    new_times: list[dt.time] = field(default_factory=list)
    places_each: int = 1

    def name(self, at: dt.datetime) -> str:
        return f"places-{local(at, self.zone):%H%M}"

    def shown(self, time: Time) -> str:
        """What was typed, else the number as it is."""
        return self.values.get(self.name(time.starts_at), str(len(time.places)))

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def read(self) -> bool:
        """Fill ``wanted``, ``new_times`` and ``places_each``; False with ``errors``."""
        for name, typed in self.values.items():
            if name.startswith("places-") and typed != self.values.get("was" + name[6:]):
                self._read_time(name, typed)
        if self.get("new").strip():
            self._read_new()
        return not self.errors

    def _read_time(self, name: str, typed: str) -> None:
        digits = name[7:]
        if not (digits.isascii() and digits.isdigit() and len(digits) == 4):
            return
        try:
            at = instant(self.date, dt.time(int(digits[:2]), int(digits[2:])), self.zone)
        except ValueError:
            return
        label = f"{digits[:2]}:{digits[2:]}"
        try:
            self.wanted[at] = texts.whole_number(typed.strip(), MOST_PLACES, least=0)
        except ValueError:
            sentence = gettext(
                "Type a whole number from %(least)s to %(most)s.", least=0, most=MOST_PLACES
            )
            self.errors[name] = Error(name, label, sentence)

    def _read_new(self) -> None:
        try:
            self.new_times = texts.clock_times(self.get("new"))[:50]
        except ValueError:
            sentence = gettext("Type times like this: 14:00, 14:30.")
            self.errors["new"] = Error("new", gettext("New times"), sentence)
        try:
            self.places_each = texts.whole_number(self.get("each").strip() or "1", MOST_PLACES)
        except ValueError:
            sentence = gettext(
                "Type a whole number from %(least)s to %(most)s.", least=1, most=MOST_PLACES
            )
            self.errors["each"] = Error("each", gettext("Places at each"), sentence)


@dataclass
class PauseForm:
    """Which type, where, from when until when, and the notice."""

    types: Sequence[DonationType]
    branches: Sequence[Organization]
    everywhere: bool
    """Whether the reader may pause for the whole organization."""
    zone: str
    today: dt.date
    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, Error] = field(default_factory=dict)

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def read(self) -> dict[str, object] | None:
        """Arguments of ``app.rules.pauses.begin``; None with ``errors``."""
        kind = next((t for t in self.types if str(t.uid) == self.get("type")), None)
        if kind is None:
            self._wrong("type", gettext("Donation type"), gettext("Choose the donation type."))
        where = next((b for b in self.branches if str(b.uid) == self.get("branch")), None)
        if where is None and (self.get("branch") or not self.everywhere):
            self._wrong("branch", gettext("Where"), gettext("Choose the branch."))
        notice = self.get("notice_ru").strip()
        if not notice:
            sentence = gettext(
                "Write the notice, please: people will read it instead of the places."
            )
            self._wrong("notice_ru", gettext("Notice in Russian"), sentence)
        for name in ("notice_ru", "notice_en"):
            if len(self.get(name)) > LONGEST_NOTICE:
                sentence = gettext("At most %(count)s characters.", count=LONGEST_NOTICE)
                self._wrong(name, gettext("Notice"), sentence)
        starts_at = self._instant("from", gettext("From"))
        ends_at = self._instant("until", gettext("Until"))
        if self.errors or kind is None:
            return None
        return {
            "donation_type_id": kind.id,
            "organization_id": where.id if where else None,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "notice_ru": notice,
            "notice_en": self.get("notice_en").strip(),
        }

    def _wrong(self, name: str, label: str, sentence: str) -> None:
        self.errors.setdefault(name, Error(name, label, sentence))

    def _instant(self, name: str, label: str) -> dt.datetime | None:
        """A date, with an hour beside it or from midnight on. Nothing given: None."""
        day, time = self.get(f"{name}_date").strip(), self.get(f"{name}_time").strip()
        if not day and not time:
            return None
        try:
            date = texts.one_date(day, self.today)
            if abs(date.year - self.today.year) > 5:
                raise ValueError(day)
            return instant(date, texts.clock_time(time) if time else dt.time(), self.zone)
        except ValueError:
            sentence = gettext("Type a date, and an hour if you like: 25.11.2026, 8:00.")
            self._wrong(f"{name}_date", label, sentence)
            return None
