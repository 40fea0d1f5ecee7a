"""Where patients are seen: the search for an institution, its page, its doctors and their times.

Both ways in stand on the same rules: department → specialty → doctor (E17–E26), and service → doctor →
date → time (B4–B7, D6–D8). The choice is the address; nothing is kept.
"""

from __future__ import annotations

import datetime as dt
import uuid
from calendar import monthcalendar
from collections.abc import Callable, Sequence
from typing import Any

from flask import abort, g, render_template, request, url_for
from flask_babel import gettext

from app.extensions import db
from app.i18n import say, spoken
from app.models.appointment import Appointment
from app.models.organization import Organization
from app.public import visitor
from app.public.header import at, known
from app.public.maps import ground
from app.public.settlements import chosen
from app.public.site import public
from app.rules import addresses, directory, nearby, patient_visits, patients, reception, week
from app.rules.clock import local_date
from app.rules.directory import Institution
from app.rules.errors import NotFound, RuleError
from app.rules.houses import HouseUnclear
from app.rules.slot_states import REASONS, SHORT, WORDS, State
from forms.directory import args_of, search_of, uuid_of, wish_of
from forms.inputs import parsed_day


@public.get("/institutions")
def institutions() -> str:
    """Institutions of the settlement by type, specialty and name, the nearest to an address first (E36–E38)."""
    session = db.session()
    names = [name for name, _ in directory.settlements(session)]
    search = search_of(request.args, chosen(names))
    where = search.settlement or (names[0] if len(names) == 1 else "")
    spot, faults = _spot(search, where)
    near = spot.point if spot else None
    found = nearby.placed(directory.institutions(session, search=search, near=near), near=near)
    asks_address = addresses.known(session)
    return render_template(
        "public/institutions.html",
        found=found,
        search=search,
        where=where,
        spot=spot,
        faults=faults,
        asks_address=asks_address,
        streets=addresses.streets(session, settlement=where) if asks_address and where else (),
        ground=ground() if any(each.point for each in found) else None,
        kinds=_named(directory.institution_kinds()),
        specialties=directory.specialties(session),
        kind_of=kind_of,
        several=len(names) > 1,
        of_one_body=len({each.organization.tenant_id for each in found}) < len(found),
    )


def _spot(search: directory.Search, where: str) -> tuple[addresses.Spot | None, dict[str, str]]:
    """Where the address asked for is, and what is wrong with it, by field."""
    if not search.street:
        return None, {"street": gettext("Type the street, please.")} if search.house else {}
    if not where:
        sentence = gettext("Choose your settlement first, please: streets of one name are in many.")
        return None, {"street": sentence}
    try:
        spot = addresses.locate(
            db.session(), settlement=where, street=search.street, house=search.house
        )
    except HouseUnclear as refusal:
        return None, {"house": say(refusal)}
    except RuleError as refusal:
        return None, {"street": say(refusal)}
    return spot, {}


@public.get("/institutions/<uuid:uid>")
def institution(uid: uuid.UUID) -> str:
    """The three columns: departments, specialties, the week's grid (E17–E23). Three queries."""
    here = _institution(uid)
    point = nearby.point_of(here.organization)
    return render_template(
        "public/institution.html",
        kind=kind_of(here.organization),
        point=point,
        ground=ground() if point else None,
        tickets=_tickets(),
        known=visitor.token() and visitor.person_in(here.organization) is not None,
        **picker(here, lambda asked: url_for("public.institution", uid=uid, **asked)),
    )


def picker(here: Institution, address: Callable[[dict[str, str]], str]) -> dict[str, Any]:
    """What templates/parts/picker.html wants; ``address`` is of the same page for another choice."""
    place, wish = here.organization, wish_of(request.args)
    return {
        "here": here,
        "place": place,
        "wish": wish,
        "grid": week.grid(db.session(), institution=here, wish=wish, now=g.now),
        "link": lambda **changes: address(args_of(wish, **changes)),
        "clear": address({}),
        "doctor_link": lambda role, day: _doctor_link(place.uid, role.uid, wish.service, day),
        "today": local_date(g.now, place.time_zone),
        "tab": _tab,
        "words": SHORT,
        "legend": [State.FREE, State.TAKEN, State.DESK, State.SOON],
        "reasons": REASONS,
    }


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
    service = uuid_of(request.args, "service")
    return doctor_page(uid, role, service, parsed_day(request.args.get("day", "")))


def doctor_page(
    uid: uuid.UUID,
    role: uuid.UUID,
    service: uuid.UUID | None,
    wanted: dt.date | None,
    error: str = "",
) -> str:
    """The same for whoever could not hold a time there: ``error`` says why."""
    here = _institution(uid)
    try:
        shown = reception.reception(
            db.session(), institution=here, role=role, service=service, now=g.now
        )
    except NotFound:
        abort(404)
    return render_template(
        "public/doctor.html",
        error=error,
        held=held_here(),
        place=here.organization,
        shown=shown,
        doctor=shown.doctor,
        day=_day(shown, wanted),
        wanted=wanted,
        months=_months(shown),
        chosen=uuid_of(request.args, "chosen"),
        day_link=lambda day: _doctor_link(uid, role, service, day, anchor="times"),
        words=WORDS,
        reasons=REASONS,
    )


def _tickets() -> Sequence[Appointment]:
    """«Активные талоны» beside the schedule (E34)."""
    if not visitor.token() and g.user is None:
        return ()
    return patient_visits.tickets(db.session(), reader=visitor.reader(), now=g.now)


def held_here() -> Appointment | None:
    """What this browser is keeping just now, if it has chosen anything at all."""
    token = visitor.token()
    return patients.held(db.session(), token=token, now=g.now) if token else None


def _institution(uid: uuid.UUID) -> Institution:
    try:
        found = directory.institution(db.session(), uid=uid, now=g.now)
    except NotFound:
        abort(404)
    known(found.roots, patients=True)
    at(found.organization)
    return found


def _months(shown: reception.Reception) -> list[dict[str, Any]]:
    """The days as a calendar, a page for each month (E24): weeks of seven, empty where another month is."""
    days = {day.date: day for day in shown.days}
    firsts = sorted({date.replace(day=1) for date in days})
    return [
        {
            "first": first,
            "weeks": [
                [(first.replace(day=number), days.get(first.replace(day=number))) if number else None
                 for number in week]
                for week in monthcalendar(first.year, first.month)
            ],
        }
        for first in firsts
    ]  # fmt: skip


def _day(shown: reception.Reception, wanted: dt.date | None) -> reception.Day | None:
    """The day asked for; without one, the first that has a free time, else the first of all."""
    if wanted is not None:
        return next((day for day in shown.days if day.date == wanted), None)
    free = (day for day in shown.days if day.free)
    return next(free, shown.days[0] if shown.days else None)


def _doctor_link(
    uid: uuid.UUID,
    role: uuid.UUID,
    service: uuid.UUID | None,
    day: dt.date | None,
    anchor: str | None = None,
) -> str:
    more = {"service": service, "day": day.isoformat() if day else None, "_anchor": anchor}
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
