"""Publishing sittings: which practitioners and which period; copying a week; days of absence.

They check shape only; what is left out and why is ``app.rules.sitting_previews``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from app.models.directory import PractitionerRole
from app.models.organization import Organization
from app.rules.matrix import MAX_RANGE, Dates
from app.rules.sitting_weeks import MOST_WEEKS
from forms import matrix_texts as texts
from forms.publishing import FURTHEST_YEARS, LONGEST_TITLE, Error

LONGEST_REASON = 200
MOST_PICKED = 500


@dataclass
class PeriodForm:
    """What the forms of this page share: dates typed, practitioners ticked, errors at their fields."""

    roles: Sequence[PractitionerRole]
    today: dt.date
    values: MultiDict[str, str] = field(default_factory=MultiDict)
    errors: dict[str, Error] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return " ".join(self.get("title").split())[:LONGEST_TITLE]

    def get(self, name: str) -> str:
        return self.values.get(name, "")

    def ticked(self, name: str, value: object) -> bool:
        return str(value) in self.values.getlist(name)

    def chosen(self) -> list[PractitionerRole]:
        """The practitioners ticked, in the order of the page."""
        ticked = set(self.values.getlist("role"))
        found = [role for role in self.roles if str(role.uid) in ticked]
        if not found:
            self.wrong("role", gettext("Practitioners"), gettext("Tick at least one practitioner."))
        return found

    def day(self, name: str, label: str) -> dt.date | None:
        try:
            found = texts.one_date(self.get(name), self.today)
        except ValueError:
            found = None
        if found is None or abs(found.year - self.today.year) > FURTHEST_YEARS:
            self.wrong(name, label, gettext("Type a date like this: 25.11.2026."))
            return None
        return found

    def period(self) -> Dates:
        """``first`` and ``last``, in order and no longer than a year."""
        first = self.day("first", gettext("First date"))
        last = self.day("last", gettext("Last date"))
        if first is None or last is None:
            return Dates()
        if last < first:
            sentence = gettext("The last date comes before the first one.")
            self.wrong("last", gettext("Last date"), sentence)
        elif (last - first).days >= MAX_RANGE:
            sentence = gettext(
                "From the first to the last date there may be at most %(limit)s days.",
                limit=MAX_RANGE,
            )
            self.wrong("last", gettext("Last date"), sentence)
        return Dates(first, last)

    def wrong(self, name: str, label: str, sentence: str) -> None:
        self.errors.setdefault(name, Error(name, label, sentence))


@dataclass
class PlanForm(PeriodForm):
    """«Publish»: practitioners and a period; the template is chosen before."""

    def read(self) -> tuple[list[PractitionerRole], Dates] | None:
        dates = self.period()
        roles = self.chosen()
        return None if self.errors else (roles, dates)

    def fill(self, role_ids: Sequence[int], dates: Dates, title: str = "") -> None:
        first = dates.first or self.today
        typed = {
            "title": title,
            "first": first.isoformat(),
            "last": (dates.last or first).isoformat(),
        }
        self.values = MultiDict(typed)
        keys = set(role_ids)
        self.values.setlist("role", [str(row.uid) for row in self.roles if row.id in keys])


@dataclass
class WeekForm(PeriodForm):
    """«Copy a week»: which one, from which week on, how many times."""

    def read(self) -> tuple[list[PractitionerRole], dt.date, dt.date, int] | None:
        week = self.day("week", gettext("Which week"))
        to = self.day("to", gettext("To the week of"))
        weeks = 1
        try:
            weeks = texts.whole_number(self.get("weeks").strip(), MOST_WEEKS)
        except ValueError:
            sentence = gettext(
                "Type a whole number from %(least)s to %(most)s.", least=1, most=MOST_WEEKS
            )
            self.wrong("weeks", gettext("How many weeks"), sentence)
        roles = self.chosen()
        if self.errors or week is None or to is None:
            return None
        return roles, week, to, weeks


@dataclass
class ExceptionForm(PeriodForm):
    """An absence of one practitioner, or a closed day of a branch."""

    branches: Sequence[Organization] = ()

    @property
    def reason(self) -> str:
        return " ".join(self.get("reason").split())[:LONGEST_REASON]

    def read(self) -> tuple[int, int | None, Dates] | None:
        """Branch, role (None: the whole branch), days."""
        whom = self._whom()
        if not self.get("last").strip():
            self.values["last"] = self.get("first")
        dates = self.period()
        if not self.reason:
            sentence = gettext("Give the reason: your colleagues will see it in the preview.")
            self.wrong("reason", gettext("Reason"), sentence)
        if self.errors or whom is None:
            return None
        return (*whom, dates)

    def _whom(self) -> tuple[int, int | None] | None:
        typed = self.get("whom")
        for branch in self.branches:
            if str(branch.uid) == typed:
                return branch.id, None
        for role in self.roles:
            if str(role.uid) == typed:
                return role.organization_id, role.id
        self.wrong("whom", gettext("Who is away"), gettext("Choose a practitioner or the branch."))
        return None


def picked_uids(values: MultiDict[str, str], name: str) -> list[uuid.UUID]:
    """Well-formed ids among the boxes ticked; anything else is passed over."""
    found = []
    for text in values.getlist(name)[:MOST_PICKED]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def date_in(values: Mapping[str, str], name: str, otherwise: dt.date) -> dt.date:
    """A date of the address, ISO; ``otherwise`` for anything else or far away."""
    try:
        found = dt.date.fromisoformat(values.get(name, ""))
    except ValueError:
        return otherwise
    return found if abs(found.year - otherwise.year) <= FURTHEST_YEARS + 3 else otherwise
