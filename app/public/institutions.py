"""Where patients are seen: the search for an institution, its page, its doctors and their times.

Both ways in stand on the same rules: department → specialty → doctor (E17–E26), and service → doctor →
date → time (B4–B7, D6–D8). The choice is the address; nothing is kept.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from flask import abort, g, render_template, request, url_for

from app.extensions import db
from app.i18n import spoken
from app.models.organization import Organization
from app.public.header import known
from app.public.settlements import chosen
from app.public.site import public
from app.rules import directory, reception, week
from app.rules.clock import local_date
from app.rules.directory import Institution
from app.rules.errors import NotFound
from app.rules.slot_states import REASONS, SHORT, WORDS, State
from forms.directory import args_of, search_of, uuid_of, wish_of
from forms.inputs import parsed_day


@public.get("/institutions")
def institutions() -> str:
    """Institutions of the settlement by type, specialty and name (E36–E38)."""
    session = db.session()
    names = [name for name, _ in directory.settlements(session)]
    search = search_of(request.args, chosen(names))
    return render_template(
        "public/institutions.html",
        found=directory.institutions(session, search=search),
        search=search,
        kinds=_named(directory.institution_kinds()),
        specialties=directory.specialties(session),
        kind_of=kind_of,
        several=len(names) > 1,
    )


@public.get("/institutions/<uuid:uid>")
def institution(uid: uuid.UUID) -> str:
    """The three columns: departments, specialties, the week's grid (E17–E23). Three queries."""
    here = _institution(uid)
    wish = wish_of(request.args)
    shown = week.grid(db.session(), institution=here, wish=wish, now=g.now)

    def link(**changes: Any) -> str:
        return url_for("public.institution", uid=uid, **args_of(wish, **changes))

    return render_template(
        "public/institution.html",
        here=here,
        place=here.organization,
        kind=kind_of(here.organization),
        wish=wish,
        grid=shown,
        link=link,
        doctor_link=lambda role, day: _doctor_link(uid, role.uid, wish.service, day),
        today=local_date(g.now, here.organization.time_zone),
        tab=_tab,
        words=SHORT,
        legend=[State.FREE, State.TAKEN, State.DESK, State.SOON],
        reasons=REASONS,
    )


@public.get("/institutions/<uuid:uid>/services")
def services(uid: uuid.UUID) -> str:
    """The other way in: what one wants to be done, then who does it (B4, D6)."""
    here = _institution(uid)
    return render_template(
        "public/services.html",
        place=here.organization,
        kind=kind_of(here.organization),
        services=directory.services(db.session(), organization=here.organization),
    )


@public.get("/institutions/<uuid:uid>/doctors/<uuid:role>")
def doctor(uid: uuid.UUID, role: uuid.UUID) -> str:
    """A doctor's days, and the times of one of them in words with their reasons (B6–B7, N7)."""
    here = _institution(uid)
    service = uuid_of(request.args, "service")
    try:
        shown = reception.reception(
            db.session(), institution=here, role=role, service=service, now=g.now
        )
    except NotFound:
        abort(404)
    wanted = parsed_day(request.args.get("day", ""))
    return render_template(
        "public/doctor.html",
        place=here.organization,
        shown=shown,
        doctor=shown.doctor,
        day=_day(shown, wanted),
        wanted=wanted,
        day_link=lambda day: _doctor_link(uid, role, service, day),
        words=WORDS,
        reasons=REASONS,
    )


def _institution(uid: uuid.UUID) -> Institution:
    try:
        found = directory.institution(db.session(), uid=uid)
    except NotFound:
        abort(404)
    known(found.roots, patients=True)
    return found


def _day(shown: reception.Reception, wanted: dt.date | None) -> reception.Day | None:
    """The day asked for; without one, the first that has a free time, else the first of all."""
    if wanted is not None:
        return next((day for day in shown.days if day.date == wanted), None)
    free = (day for day in shown.days if day.free)
    return next(free, shown.days[0] if shown.days else None)


def _doctor_link(
    uid: uuid.UUID, role: uuid.UUID, service: uuid.UUID | None, day: dt.date | None
) -> str:
    more = {"service": service, "day": day.isoformat() if day else None}
    return url_for("public.doctor", uid=uid, role=role, **more)


def _tab(monday: dt.date) -> str:
    """«03.08–09.08»."""
    return f"{monday:%d.%m}–{monday + dt.timedelta(days=6):%d.%m}"


def _named(kinds: Any) -> list[tuple[str, str]]:
    return [(key, spoken(words)) for key, words in kinds.items()]


def kind_of(place: Organization) -> str:
    """The institution's type in the reader's language; empty if staff have chosen none."""
    words = directory.institution_kinds().get(place.institution)
    return spoken(words) if words else ""
