"""«Сегодня»: the numbers that want something from me, today's load, failed letters; nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from admin import tenants
from admin.columns import Cell, cell
from admin.gate import Guarded
from admin.views.messages import ends, letter_words
from app.models.organization import Organization
from app.models.scope import scope_of, set_scope
from app.rules import hospital_link, ledger, today


@dataclass(frozen=True)
class Number:
    """Something that waits: how many, what, where it is dealt with, whether it is late."""

    count: int
    words: str
    href: str
    late: bool = False

    @property
    def shown(self) -> str:
        return gettext("more than 1000") if self.count > ledger.MOST_COUNTED else str(self.count)


class HomePage(Guarded, AdminIndexView):
    """Open to everybody who works here; each number only to whom it concerns."""

    permission = ""
    title = _l("Today")

    def __init__(self) -> None:
        super().__init__(
            name=self.title, endpoint="admin", url="/staff", template="admin/home.html"
        )
        self.static_folder = None

    @expose("/")
    def index(self) -> Any:
        return self.render(
            "admin/home.html",
            numbers=self.numbers(),
            load=self.load(),
            dead=self.dead(),
            lost=self.lost(),
        )

    @contextmanager
    def within(self, permission: str) -> Iterator[None]:
        """Count only where the roles that give ``permission`` are held."""
        before = scope_of(self.session)
        try:
            self.need(permission)
            yield
        finally:
            set_scope(self.session, before)

    def numbers(self) -> list[Number]:
        found = []
        if self.may("queue.view"):
            for slug, shown in (("visits", tenants.take_patients), ("queue", tenants.take_donors)):
                found += self._waiting(slug) if shown() else []
        found += self._of_the_cabinet()
        if self.may("messages.view"):
            with self.within("messages.view"):
                count = ledger.count_dead(self.session)
            words = ngettext("letter not delivered", "letters not delivered", count)
            found.append(Number(count, words, _to("messages", status="dead"), late=count > 0))
        return found

    def _waiting(self, slug: str) -> list[Number]:
        """Requests of patients («visits») or of donors («queue»)."""
        of_patients = slug == "visits"
        with self.within("queue.view"):
            waiting = today.waiting(self.session, now=self.now, of_patients=of_patients)
        words = (
            ngettext(
                "request for a visit awaits a decision",
                "requests for visits await a decision",
                waiting.pending,
            )
            if of_patients
            else ngettext("request awaits a decision", "requests await a decision", waiting.pending)
        )
        late = ngettext("of them is overdue", "of them are overdue", waiting.overdue)
        return [
            Number(waiting.pending, words, _to(slug)),
            Number(waiting.overdue, late, _to(slug, overdue="1"), late=waiting.overdue > 0),
        ]

    def _of_the_cabinet(self) -> list[Number]:
        """What people ask for in the personal account; nothing where nobody asks."""
        found = []
        if self.may("attachments.edit"):
            with self.within("attachments.edit"):
                asked = today.attachments_asked(self.session)
            words = ngettext("attachment is asked for", "attachments are asked for", asked)
            found.append(Number(asked, words, _to("attachments")))
        if self.may("family.decide"):
            with self.within("family.decide"):
                asked = today.families_asked(self.session)
            words = ngettext("family request", "family requests", asked)
            found.append(Number(asked, words, _to("families")))
        if self.may("profiles.confirm"):
            with self.within("profiles.confirm"):
                waiting = today.profiles(self.session, now=self.now)
            words = (
                ngettext(
                    "profile to be confirmed, overdue: %(late)s",
                    "profiles to be confirmed, overdue: %(late)s",
                    waiting.pending,
                    late=waiting.overdue,
                )
                if waiting.overdue
                else ngettext(
                    "profile to be confirmed", "profiles to be confirmed", waiting.pending
                )
            )
            found.append(Number(waiting.pending, words, _to("confirmations"), waiting.overdue > 0))
        return [each for each in found if each.count]

    def lost(self) -> list[Organization]:
        """Institutions without a link: the site books no doctors there."""
        if not self.may("desk.view"):
            return []
        with self.within("desk.view"):
            return hospital_link.lost(self.session)

    def load(self) -> list[today.Busy]:
        if not self.may("schedules.view"):
            return []
        with self.within("schedules.view"):
            return today.load(self.session, now=self.now)

    def dead(self) -> list[tuple[str, Cell, str]]:
        """The latest letters that failed: words, when, where to look."""
        if not self.may("messages.view"):
            return []
        with self.within("messages.view"):
            rows = ledger.latest_dead(self.session)
            return [
                (
                    letter_words(row),
                    cell(ends(row)),
                    url_for("messages.details_view", id=row.uid),
                )
                for row in rows
            ]


def _to(slug: str, **values: str) -> str:
    """The address of a page, as far as this installation has it."""
    for name in ("index", "index_view"):
        if f"{slug}.{name}" in current_app.view_functions:
            return url_for(f"{slug}.{name}", **values)
    return url_for("admin.index")
