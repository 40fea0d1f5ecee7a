"""The registrar's queue (A22–A26, N2): the list left, the open request right, one key for a decision."""

from __future__ import annotations

import math
import uuid
from typing import Any, cast

from flask import abort, g, redirect, request, session, url_for
from flask_admin import expose
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug import Response

from admin.base import StaffPage
from admin.decisions import Decisions, spoken_checks
from app.models.appointment import Appointment
from app.rules import lookup, queue, triage, visit_requests
from app.rules.checks import HEADS, Examined
from app.rules.queue import MOST_COUNTED, Decided, Position, QueueFilter
from app.rules.triage import Asked, Screen
from forms.approval import SIZES, QueueWish, RejectForm, Unreadable, args_of, wish_of

NOTE = "queue_note"
"""What to say on the next page, in a place kept for it: a message on top would push the list down."""
PAST_SHOWN = 5


class QueuePage(Decisions, StaffPage):
    """Every filter, the place in the list and the open request stand in the address."""

    slug = "queue"
    title = _l("Approvals")
    permission = "queue.view"
    for_donors = True
    template = "admin/queue/index.html"
    of_patients = False
    """Whose requests; the engine is the same (app.rules.approval)."""
    many = "queue-bulk"
    heads = HEADS

    @expose("/", methods=("GET",))
    def index(self) -> Any:
        return self._page(self.wish())

    def wish(self) -> QueueWish:
        """What the address asks for; what no page of ours has written is 404."""
        try:
            return wish_of(request.args)
        except Unreadable:
            abort(404)

    def gone_on(self, uid: uuid.UUID, at: Position, refusal: str = "") -> Response:
        """To the next request of the same list, in the same place."""
        wish = self.wish()
        chosen, _ = self.chosen(wish)
        following = queue.next_to(self.session, chosen, at, now=self.now)
        if refusal:
            session[NOTE] = refusal
        return self._to(args_of(wish, open=following))

    def stay(self, uid: uuid.UUID, *, form: RejectForm | None = None, refusal: str = "") -> Any:
        if form is not None:
            g.way_back = url_for(f"{self.slug}.index", **args_of(self.wish(), open=uid))
            return self._page(self.wish(), form=form, open=uid), 422
        if refusal:
            session[NOTE] = refusal
        return self._to(args_of(self.wish(), open=uid))

    def _to(self, args: dict[str, str]) -> Response:
        return cast(Response, redirect(url_for(f"{self.slug}.index", **args), 303))

    def chosen(self, wish: QueueWish) -> tuple[QueueFilter, dict[str, Any]]:
        """The filter in the database's words, and the lists it was chosen from."""
        offered = offered_by(self.session, of_patients=self.of_patients)
        return filter_of(wish, offered, of_patients=self.of_patients), offered

    def _page(
        self, wish: QueueWish, *, form: RejectForm | None = None, open: uuid.UUID | None = None
    ) -> str:
        chosen, offered = self.chosen(wish)
        asked = Asked(wish.size, wish.after, wish.before, open or wish.open)
        screen = triage.screen(self.session, chosen, asked, now=self.now)
        decided = queue.last_decided(
            self.session,
            staff_user_id=self.user.id,
            now=self.now,
            of_patients=self.of_patients,
        )
        self._note_screen(screen, decided)
        return cast(
            str,
            self.render(
                self.template,
                wish=wish,
                screen=screen,
                filters=offered,
                places=queue.places(offered["organizations"]),
                sizes=SIZES,
                **spoken_checks(),
                heads=self.heads,
                of_patients=self.of_patients,
                many=self.many,
                bulk_args=args_of(wish),
                card=self.card,
                note=session.pop(NOTE, ""),
                decided=decided,
                seconds_left=seconds_left(decided, self.now),
                counted=counted,
                link=lambda **changes: url_for(f"{self.slug}.index", **args_of(wish, **changes)),
                act=lambda what, row: url_for(f"{self.slug}.{what}", uid=row.uid, **args_of(wish)),
                **opened_extras(self, screen.opened, form),
                may_decide_some=self.may("queue.decide"),
            ),
        )

    def _note_screen(self, screen: Screen, decided: Decided | None) -> None:
        """One access event for the people on this page, with the records shown beside them."""
        shown = [*screen.rows, *([screen.opened] if screen.opened else [])]
        people = {e.who.person.id: e.who.person for e in shown}
        for row in (screen.ended, decided.appointment if decided else None):
            if row is not None:
                people[row.person_id] = row.person
        records = {e.who.record.id: e.who.record for e in shown if e.who.record is not None}
        self.note_seen(self.slug, people.values(), records.values())


class VisitsPage(QueuePage):
    """Patients' requests for practitioners (E27: «после получения разрешения»), on the same screen."""

    slug = "visits"
    title = _l("Requests for visits")
    for_donors = False
    for_patients = True
    of_patients = True
    many = "visits-bulk"
    heads = visit_requests.HEADS


def offered_by(session: Any, *, of_patients: bool) -> dict[str, list[Any]]:
    """The lists that the filter chooses from."""
    whose = "doctors" if of_patients else "types"
    rows: list[Any] = queue.practitioners(session) if of_patients else queue.types(session)
    places = [
        row
        for row in queue.organizations(session)
        if (row.takes_patients if of_patients else row.takes_donors)
    ]
    return {"organizations": places, whose: rows}


def filter_of(wish: QueueWish, offered: dict[str, list[Any]], *, of_patients: bool) -> QueueFilter:
    """A branch, type or doctor that is not the reader's is 404: a filter never falls away silently."""
    organizations = offered["organizations"]
    branch = _named(organizations, wish.branch)
    donation_type = _named(offered.get("types", []), wish.donation_type)
    doctor = _named(offered.get("doctors", []), wish.doctor)
    return QueueFilter(
        organization_ids=queue.under(branch, organizations) if branch else (),
        donation_type_id=donation_type.id if donation_type else None,
        practitioner_id=doctor.id if doctor else None,
        date_from=wish.date_from,
        date_to=wish.date_to,
        overdue=wish.overdue,
        of_patients=of_patients,
    )


def _named(rows: list[Any], uid: uuid.UUID | None) -> Any:
    if uid is None:
        return None
    return next((row for row in rows if row.uid == uid), None) or abort(404)


def opened_extras(
    page: Decisions, opened: Examined | None, form: RejectForm | None
) -> dict[str, Any]:
    """What stands beside the checks of one request: the donor's past, and what may be done."""
    if opened is None:
        return {}
    row: Appointment = opened.appointment
    past = lookup.bookings_of(
        page.session, person_id=row.person_id, besides=row.id, limit=PAST_SHOWN
    )
    visit_requests.with_doctors(page.session, past)
    reasons = queue.reasons(page.session, tenant_id=row.tenant_id)
    return {
        "email": lookup.email_of(page.session, person_id=row.person_id),
        "past": past,
        "no_shows": lookup.no_shows(page.session, person_id=row.person_id),
        "reject_form": form or RejectForm(formdata=None).offer(reasons),
        "may_decide": page.may_over("queue.decide", row.organization),
        "may_override": bool(opened.failing) and page.may_over("queue.override", row.organization),
    }


def seconds_left(decided: Decided | None, now: Any) -> int:
    """How long the last decision can still be undone."""
    if decided is None or decided.appointment.undo_until is None:
        return 0
    return math.ceil((decided.appointment.undo_until - now).total_seconds())


def counted(number: int) -> str:
    """«42», or «more than 1000»."""
    if number > MOST_COUNTED:
        return gettext("more than %(most)s", most=MOST_COUNTED)
    return str(number)
