"""The form above a report: which days, whose visits, what a line is. It stands in the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext

from app.models.organization import Organization
from app.rules.reports import (
    BY_TIME,
    DAY,
    MOST_BY_DAY,
    MOST_DAYS,
    ONLY_OF,
    Asked,
    By,
    Whose,
)
from forms import matrix_texts as texts
from forms.publishing import Error

USUAL = 28
"""Days of a period of which only one end was given, and of the usual one."""
FIRST_YEAR, LAST_YEAR = 2000, 2099
NAMES = ("organization", "branch", "from", "to", "by", "whose")


@dataclass(frozen=True)
class Period:
    """From the first to the last date, both counted."""

    first: dt.date
    last: dt.date


def last_weeks(today: dt.date) -> Period:
    """The four weeks that end today."""
    return Period(today - (USUAL - 1) * DAY, today)


def next_weeks(today: dt.date) -> Period:
    """The four weeks that begin today."""
    return Period(today, today + (USUAL - 1) * DAY)


def this_month(today: dt.date) -> Period:
    first = today.replace(day=1)
    return Period(first, (first + 31 * DAY).replace(day=1) - DAY)


def former_month(today: dt.date) -> Period:
    return this_month(today.replace(day=1) - DAY)


@dataclass
class ReportForm:
    """``?organization=&branch=&from=&to=&by=&whose=``; a choice that is not offered is no choice."""

    given: Mapping[str, str]
    places: Sequence[Organization]
    """What is counted."""
    today: dt.date
    usual: Period
    errors: dict[str, Error] = field(default_factory=dict)
    period: Period | None = None
    """The days that ``read`` has understood."""

    def get(self, name: str) -> str:
        return self.given.get(name, "").strip()

    @property
    def both(self) -> bool:
        """Whether there are donors and patients to tell apart."""
        donors = any(place.takes_donors for place in self.places)
        return donors and any(place.takes_patients for place in self.places)

    @property
    def groupings(self) -> list[By]:
        """Offered: doctors only to a polyclinic, donation types only to a blood centre."""
        found = [*BY_TIME]
        if len(self.places) > 1:
            found.append(By.BRANCH)
        if any(place.takes_donors for place in self.places):
            found.append(By.TYPE)
        if any(place.takes_patients for place in self.places):
            found += [By.SPECIALTY, By.PRACTITIONER]
        return found

    @property
    def by(self) -> By:
        return next((by for by in self.groupings if by == self.get("by")), By.WEEK)

    @property
    def whose(self) -> Whose:
        asked = next((whose for whose in Whose if whose == self.get("whose")), Whose.ALL)
        return ONLY_OF.get(self.by, asked if self.both else Whose.ALL)

    def read(self) -> Asked | None:
        """What the report is asked for; None with ``errors``."""
        first = self._day("from", gettext("First date"))
        last = self._day("to", gettext("Last date"))
        if self.errors:
            return None
        if first is None:
            first = self.usual.first if last is None else last - (USUAL - 1) * DAY
        if last is None:
            last = self.usual.last if not self.get("from") else first + (USUAL - 1) * DAY
        self.period = Period(first, last)
        days = (last - first).days + 1
        if days < 1:
            self._wrong(
                "to", gettext("Last date"), gettext("The last date comes before the first one.")
            )
        elif days > MOST_DAYS:
            sentence = gettext(
                "From the first to the last date there may be at most %(limit)s days.",
                limit=MOST_DAYS,
            )
            self._wrong("to", gettext("Last date"), sentence)
        elif self.by is By.DAY and days > MOST_BY_DAY:
            sentence = gettext(
                "Day by day at most %(limit)s days are shown. Choose weeks or months, or fewer days.",
                limit=MOST_BY_DAY,
            )
            self._wrong("by", gettext("Grouped"), sentence)
        if self.errors:
            return None
        return Asked(tuple(place.id for place in self.places), first, last, self.by, self.whose)

    def too_much(self) -> None:
        """The database gave up counting."""
        sentence = gettext(
            "There is too much to count in the time allowed. Choose fewer days, or one branch."
        )
        self._wrong("to", gettext("Last date"), sentence)

    def shown(self, name: str) -> str:
        """A date of the form: the one that was understood, else as it was typed."""
        if self.period is not None:
            return (self.period.first if name == "from" else self.period.last).isoformat()
        return self.get(name)

    def query(self, **changes: str) -> dict[str, str]:
        """Parameters of a link to a report with the same choices."""
        kept = {name: self.get(name) for name in NAMES} | changes
        return {name: value for name, value in kept.items() if value}

    def _day(self, name: str, label: str) -> dt.date | None:
        typed = self.get(name)
        if not typed:
            return None
        try:
            found = texts.one_date(typed, self.today)
        except ValueError:
            found = None
        if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
            self._wrong(name, label, gettext("Type a date like this: 25.11.2026."))
            return None
        return found

    def _wrong(self, name: str, label: str, sentence: str) -> None:
        self.errors.setdefault(name, Error(name, label, sentence))
