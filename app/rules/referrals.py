"""«Направление» (row C14): written by the registry for the district doctor, used up by a booking, given back by a cancel."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from app.models.attachment import Referral
from app.models.directory import HealthcareService, PractitionerRole, Specialty
from app.models.district import DistrictDoctor
from app.models.enums import MessageKind
from app.models.person import Person
from app.models.scope import widened
from app.rules import audit, booking, outbox, reach
from app.rules.actor import Actor
from app.rules.clock import local_date
from app.rules.errors import N_, NotFound, RuleError

MOST = 100
LONGEST = 366
"""Days for which a referral can be written at most."""


class Over(RuleError):
    code = "referral_ends_early"
    text = N_("The referral has to hold until today or longer, at most a year.")


class OfAnother(RuleError):
    code = "referral_of_another"
    text = N_("The service and the doctor have to be of the organization that keeps the card.")


class InUse(RuleError):
    code = "referral_in_use"
    text = N_(
        "The person has booked with this referral (ticket No. %(number)s). Cancel that booking first."
    )


def of_people(
    session: Session, person_ids: Collection[int], *, now: dt.datetime
) -> dict[int, list[Referral]]:
    """Card → its referrals that hold, used or not, for its owner's eyes. One query."""
    rows = session.scalars(
        _whole()
        .where(
            Referral.person_id.in_(person_ids),
            Referral.withdrawn_at.is_(None),
            Referral.valid_until >= now.date() - dt.timedelta(days=1),
        )
        .order_by(Referral.valid_until, Referral.id)
    )
    found: dict[int, list[Referral]] = defaultdict(list)
    for row in rows:
        found[row.person_id].append(row)
    return found


def of_person(session: Session, *, person_id: int) -> Sequence[Referral]:
    """All of them, the latest first: for staff."""
    query = _whole().where(Referral.person_id == person_id).order_by(Referral.id.desc())
    return session.scalars(query.limit(MOST)).all()


def named(session: Session, *, uid: uuid.UUID) -> Referral:
    """Raises NotFound."""
    row = session.scalars(_whole().where(Referral.uid == uid)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def specialists(session: Session, *, tenant_id: int) -> list[Specialty]:
    """The specialties in which somebody receives there, by name."""
    there = select(PractitionerRole.specialty_id).where(
        PractitionerRole.tenant_id == tenant_id, PractitionerRole.is_active
    )
    return list(
        session.scalars(
            select(Specialty).where(Specialty.id.in_(there)).order_by(Specialty.name_ru)
        )
    )


def services(session: Session, *, tenant_id: int) -> list[HealthcareService]:
    """Those in use there, in their order."""
    return list(
        session.scalars(
            select(HealthcareService)
            .where(HealthcareService.tenant_id == tenant_id, HealthcareService.is_active)
            .order_by(HealthcareService.position, HealthcareService.id)
        )
    )


def doctors(session: Session, *, tenant_id: int) -> list[PractitionerRole]:
    """The doctors of districts there, by name: who refers."""
    posts = select(DistrictDoctor.role_id).where(DistrictDoctor.tenant_id == tenant_id)
    rows = session.scalars(
        select(PractitionerRole)
        .options(joinedload(PractitionerRole.practitioner))
        .where(PractitionerRole.id.in_(posts), PractitionerRole.is_active)
    )
    return sorted(rows, key=lambda role: (role.practitioner.search_name, role.id))


def latest(session: Session) -> Sequence[Referral]:
    """Those written last, with the people: for staff."""
    query = _whole().options(joinedload(Referral.person).joinedload(Person.tenant))
    return session.scalars(query.order_by(Referral.id.desc()).limit(MOST)).all()


def issue(
    session: Session,
    *,
    person: Person,
    specialty: Specialty,
    valid_until: dt.date,
    actor: Actor,
    now: dt.datetime,
    service: HealthcareService | None = None,
    role: PractitionerRole | None = None,
    reason: str = "",
) -> Referral:
    """Write one down and tell its owner. ``role``: the doctor who refers. Raises Over, OfAnother."""
    today = local_date(now, person.tenant.time_zone)
    if not today <= valid_until <= today + dt.timedelta(days=LONGEST):
        raise Over()
    for owned in (service, role):
        if owned is not None and owned.tenant_id != person.tenant_id:
            raise OfAnother()
    assert actor.id is not None, "a member of staff writes it"
    row = Referral(
        uid=uuid.uuid4(),
        person_id=person.id,
        tenant_id=person.tenant_id,
        specialty_id=specialty.id,
        service_id=service.id if service is not None else None,
        issued_at=now,
        issued_by_id=actor.id,
        role_id=role.id if role is not None else None,
        valid_until=valid_until,
        reason=reason.strip()[:200],
    )
    session.add(row)
    session.flush()  # the audit line needs the id
    _write_down(session, "referral.issue", row, actor, now)
    with widened(session, "whom to tell"):
        keeper = session.execute(reach.keeper(person.id, now=now)).one_or_none()
    if keeper is not None:
        outbox.add(
            session,
            kind=MessageKind.REFERRAL_ISSUED,
            key=f"{MessageKind.REFERRAL_ISSUED}:{row.id}",
            now=now,
            tenant_id=row.tenant_id,
            account_id=keeper[0],
            facts={"referral_id": row.id, "person_id": row.person_id},
        )
    return row


def withdraw(session: Session, *, row: Referral, actor: Actor, now: dt.datetime) -> None:
    """Nobody can book with it any more. Raises InUse; said twice it changes nothing."""
    booking.lock_person(session, row.person_id)
    session.refresh(row)
    if row.withdrawn_at is not None:
        return
    if row.appointment_id is not None:
        raise InUse(number=booking.own(session, row.appointment_id).number)
    row.withdrawn_at = now
    _write_down(session, "referral.withdraw", row, actor, now)


def _whole() -> Select[Referral]:
    return select(Referral).options(
        joinedload(Referral.specialty),
        joinedload(Referral.service),
        joinedload(Referral.role).joinedload(PractitionerRole.practitioner),
    )


def _write_down(session: Session, verb: str, row: Referral, actor: Actor, now: dt.datetime) -> None:
    changes = {"specialty_id": [None, row.specialty_id]}
    audit.record(session, verb=verb, subject=row, actor=actor, now=now, changes=changes)
