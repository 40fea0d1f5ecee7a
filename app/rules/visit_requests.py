"""What stands beside a patient's request for the registrar: the card, its documents, the other visits.

The reasons are those of the site (app.rules.visit_checks), said as colleagues say them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models.appointment import Appointment
from app.models.directory import PractitionerRole
from app.models.enums import Confirmation, DocumentKind
from app.models.identity import PersonDocument
from app.models.person import Person
from app.models.schedule import Schedule
from app.models.scope import widened
from app.rules import sms, visit_checks, visit_papers
from app.rules.checks import Check, Examined, Outcome
from app.rules.donor_day import Day
from app.rules.errors import N_
from app.rules.facts import StaffFacts
from app.rules.known import PersonFacts
from app.rules.visit_checks import Visits
from app.rules.visit_papers import Papers

TITLES = {
    "documents": N_("Documents"),
    "twin": N_("Namesakes"),
    **visit_papers.TITLES,
    "visits": N_("Other visits"),
    "phone": N_("Telephone"),
}
"""In the order of a registrar's eye: who is it, is it one person, on what does it stand, may he come, can he be told."""

HEADS = {
    "documents": N_("Doc"),
    "twin": N_("Nsk"),
    **visit_papers.HEADS,
    "visits": N_("Vis"),
    "phone": N_("Tel"),
}
"""The same over the narrow columns of the list; the title is read aloud."""

STAFF_WORDS = {
    "same_doctor": N_("booked with this doctor already, on %(date)s"),
    "same_time": N_("another visit at that time, on %(date)s"),
    "too_many": N_("visits ahead already: %(count)s"),
    "closed": N_("the day is closed"),
}
OTHERS = tuple(STAFF_WORDS)
"""Codes of refusals that still count once a request is made."""


def with_doctors(session: Session, appointments: Sequence[Appointment]) -> None:
    """Load the practitioner and the service of the visits among these bookings: one query, or none."""
    ids = [row.id for row in appointments if row.schedule.role_id is not None]
    if not ids:
        return
    session.scalars(
        select(Appointment)
        .options(
            joinedload(Appointment.service),
            joinedload(Appointment.schedule)
            .joinedload(Schedule.role)
            .options(
                joinedload(PractitionerRole.practitioner),
                joinedload(PractitionerRole.specialty),
                joinedload(PractitionerRole.department),
            ),
        )
        .where(Appointment.id.in_(ids))
    ).all()


def examine(
    session: Session, appointments: Sequence[Appointment], *, now: dt.datetime
) -> list[Examined]:
    """Checks for a whole list of patients' bookings: six queries, however many, and three more where a policy
    asks for an attachment or a referral."""
    if not appointments:
        return []
    with_doctors(session, appointments)
    people = {row.person_id for row in appointments}
    with widened(session, "a visit in any branch counts"):
        visits = visit_checks.visits_of_many(session, people)
    documents = _documents(session, people)
    twins = _with_twins(session, appointments)
    papers = visit_papers.of_requests(session, appointments, now=now)
    return [
        Examined(
            row,
            StaffFacts(_facts(row.person), row.person, None, None),
            tuple(
                _checks(
                    row,
                    visits.get(row.person_id, Visits()),
                    documents.get(row.person_id, ()),
                    row.person_id in twins,
                    papers,
                    now,
                )
            ),
            None,
        )
        for row in appointments
    ]


def _facts(person: Person) -> PersonFacts:
    return PersonFacts(person.id, None, None, sex=person.sex, birth_date=person.birth_date)


def _documents(
    session: Session, person_ids: Collection[int]
) -> dict[int, tuple[DocumentKind, ...]]:
    """Which documents each card has; the numbers stay sealed."""
    found: dict[int, list[DocumentKind]] = defaultdict(list)
    for person_id, kind in session.execute(
        select(PersonDocument.person_id, PersonDocument.kind)
        .where(PersonDocument.person_id.in_(person_ids))
        .order_by(PersonDocument.id)
    ):
        if kind not in found[person_id]:
            found[person_id].append(kind)
    return {key: tuple(kinds) for key, kinds in found.items()}


def _with_twins(session: Session, appointments: Sequence[Appointment]) -> set[int]:
    """Those whose name and birth date another card of the same registry bears too."""
    people = {row.person_id: row.person for row in appointments}
    named = {key: one for key, one in people.items() if one.search_name and one.birth_date}
    if not named:
        return set()
    same = [
        and_(Person.search_name == one.search_name, Person.birth_date == one.birth_date)
        for one in named.values()
    ]
    tenants = {one.tenant_id for one in named.values()}
    rows = session.execute(
        select(Person.id, Person.tenant_id, Person.search_name, Person.birth_date).where(
            Person.tenant_id.in_(tenants), or_(*same)
        )
    ).all()
    bearers: dict[tuple[int, str, dt.date | None], set[int]] = defaultdict(set)
    for person_id, tenant_id, name, born in rows:
        bearers[tenant_id, name, born].add(person_id)
    return {
        key
        for key, one in named.items()
        if len(bearers[one.tenant_id, one.search_name, one.birth_date]) > 1
    }


def _checks(
    row: Appointment,
    visits: Visits,
    documents: Sequence[DocumentKind],
    has_twin: bool,
    papers: Papers,
    now: dt.datetime,
) -> Iterator[Check]:
    if documents:
        yield Check("documents", Outcome.OK, N_("on the card: %(kinds)s"), {"kinds": documents})
    else:
        yield Check("documents", Outcome.WARN, N_("none on the card: nobody has shown who it is"))
    if has_twin:
        yield Check("twin", Outcome.WARN, N_("another card has the same name and birth date"))
    else:
        yield Check("twin", Outcome.OK, N_("the only one with this name and birth date"))
    yield from visit_papers.checks(row, papers)
    yield _others(row, visits, now)
    yield _phone(row)


def _others(row: Appointment, visits: Visits, now: dt.datetime) -> Check:
    against = visit_checks.check(
        Day(row.schedule, row.organization, row.donation_type, row.policy),
        visits.without(row.id),
        starts_at=row.starts_at,
        minutes=row.slot.minutes or 0,
        now=now,
    )
    for refusal in against:
        if refusal.code in OTHERS:
            words = STAFF_WORDS[refusal.code]
            return Check("visits", Outcome.FAIL, words, refusal.params)
    return Check("visits", Outcome.OK, N_("nothing against it"))


def _phone(row: Appointment) -> Check:
    """Where a code has to be sent after the approval, no mobile number means that there is nobody to confirm."""
    if can_get_sms(row):
        return Check("phone", Outcome.OK, N_("an SMS can be sent"))
    if row.policy.confirmation is Confirmation.APPROVAL_CODE:
        text = N_("no mobile number for the code: phone or write, and book without it")
        return Check("phone", Outcome.FAIL, text)
    return Check("phone", Outcome.WARN, N_("no mobile number: no SMS can be sent"))


def can_get_sms(row: Appointment) -> bool:
    """Whether an SMS about this booking has somewhere to go."""
    try:
        sms.mobile(row.phone or row.person.phone)
    except sms.NeverSent:
        return False
    return True
