"""What one may wait for, read from what a page was asked about: a donor day, a doctor, a service, a specialty."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models.account import AccountPerson
from app.models.directory import HealthcareService, PractitionerRole, Specialty
from app.models.donation_type import DonationType
from app.models.enums import Relation, ScheduleStatus
from app.models.organization import Organization
from app.models.person import Person
from app.models.policy import BookingPolicy
from app.models.schedule import Schedule
from app.models.scope import widened
from app.rules import families
from app.rules.errors import NotFound
from app.rules.joining import Wish


def of_day(session: Session, *, uid: uuid.UUID) -> Wish:
    """Places like those of this donor day, at the same branch. Raises NotFound."""
    day = session.scalars(
        select(Schedule)
        .options(joinedload(Schedule.donation_type), joinedload(Schedule.organization))
        .where(
            Schedule.uid == uid,
            Schedule.donation_type_id.is_not(None),
            Schedule.status != ScheduleStatus.DRAFT,
        )
    ).one_or_none()
    if day is None:
        raise NotFound()
    return Wish(day.organization, donation_type=day.donation_type)


def of_type(session: Session, *, uid: uuid.UUID, organization: uuid.UUID | None = None) -> Wish:
    """Donations of this type, at one branch or anywhere in the organization. Raises NotFound."""
    kind = session.scalars(
        select(DonationType).where(DonationType.uid == uid, DonationType.is_active)
    ).one_or_none()
    if kind is None:
        raise NotFound()
    return Wish(_place(session, kind.tenant_id, organization), donation_type=kind)


def types_of(session: Session, *, tenant_ids: Collection[int]) -> Sequence[DonationType]:
    """What these organizations take donors for."""
    return session.scalars(
        select(DonationType)
        .join(Organization, Organization.id == DonationType.tenant_id)
        .where(
            DonationType.tenant_id.in_(tenant_ids),
            DonationType.is_active,
            Organization.takes_donors,
        )
        .order_by(DonationType.tenant_id, DonationType.position)
    ).all()


def of_role(session: Session, *, uid: uuid.UUID, service: uuid.UUID | None = None) -> Wish:
    """This doctor where he receives, for this service or any of his. Raises NotFound."""
    role = session.scalars(
        select(PractitionerRole)
        .options(
            joinedload(PractitionerRole.practitioner),
            joinedload(PractitionerRole.specialty),
            joinedload(PractitionerRole.organization),
        )
        .where(PractitionerRole.uid == uid, PractitionerRole.is_active)
    ).one_or_none()
    if role is None or not role.organization.is_active:
        raise NotFound()
    wanted = _service(session, service, role.tenant_id) if service is not None else None
    return Wish(role.organization, role=role, service=wanted)


def of_specialty(session: Session, *, uid: uuid.UUID, organization: uuid.UUID) -> Wish:
    """Any doctor of this specialty of an institution. Raises NotFound."""
    place = _named(session, organization)
    found = session.scalars(
        select(Specialty).where(Specialty.uid == uid, Specialty.is_active)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return Wish(place, specialty=found)


def of_service(session: Session, *, uid: uuid.UUID, organization: uuid.UUID) -> Wish:
    """This service by whoever gives it in an institution. Raises NotFound."""
    place = _named(session, organization)
    return Wish(place, service=_service(session, uid, place.tenant_id))


def people_of(
    session: Session, *, account_id: int, policy: BookingPolicy, now: dt.datetime
) -> Sequence[Person]:
    """Whom this account may put in line there: its own card, and its family's where the policy lets it."""
    kept = AccountPerson.relation == Relation.SELF
    whose = families.open_at(now) if policy.for_family else (kept & families.open_at(now))
    with widened(session, "the cards this account keeps"):
        return session.scalars(
            select(Person)
            .join(AccountPerson, AccountPerson.person_id == Person.id)
            .where(
                AccountPerson.account_id == account_id,
                AccountPerson.tenant_id == policy.tenant_id,
                whose,
            )
            .order_by(AccountPerson.relation != Relation.SELF, Person.id)
        ).all()


def _service(session: Session, uid: uuid.UUID, tenant_id: int) -> HealthcareService:
    found = session.scalars(
        select(HealthcareService).where(
            HealthcareService.uid == uid,
            HealthcareService.tenant_id == tenant_id,
            HealthcareService.is_active,
        )
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _named(session: Session, uid: uuid.UUID) -> Organization:
    found = session.scalars(
        select(Organization).where(Organization.uid == uid, Organization.is_active)
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found


def _place(session: Session, tenant_id: int, uid: uuid.UUID | None) -> Organization:
    if uid is None:
        return session.get_one(Organization, tenant_id)
    found = _named(session, uid)
    if found.tenant_id != tenant_id:
        raise NotFound()
    return found
