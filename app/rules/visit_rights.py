"""What a card may book by its attachment and its referrals (rows C9, C11–C15): facts, then what stands against a time.

The desk books anybody: these rules are the site's. A referral that fits is used up by the booking
wherever it was made, and comes back with the place (app.rules.transitions).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.models.appointment import Appointment
from app.models.attachment import Attachment, Referral
from app.models.cabinet_choices import AttachmentStatus
from app.models.directory import PractitionerRole
from app.models.district import District, DistrictDoctor
from app.models.organization import Organization
from app.models.policy import BookingPolicy
from app.models.scope import widened
from app.rules.clock import local_date
from app.rules.eligibility import Refusal
from app.rules.errors import N_, Refused
from app.rules.transitions import changed_rows

WHOSE = "what a card may book by its attachment and referrals"

NOT_ATTACHED = Refusal(
    "not_attached",
    N_(
        "Only who is attached to this institution books here. Ask for the attachment under “Family” in your "
        "personal account, or come to the registry desk."
    ),
)
NO_DISTRICT = Refusal(
    "no_district",
    N_(
        "Your district is not known yet. Give your address under “Family” in your personal account, or phone the "
        "registry desk."
    ),
)
NO_DOCTOR = Refusal(
    "no_doctor",
    N_("Your district has no permanent doctor now: only the registry desk gives tickets."),
)
NOT_OWN = Refusal(
    "not_own_district",
    N_("This doctor receives patients of another district. Book with the doctor of your own one."),
)
NO_REFERRAL = Refusal(
    "no_referral",
    N_("Only the district doctor refers to specialists. Book with the district doctor first."),
)
USED = Refusal(
    "referral_used",
    N_(
        "Your referral is used up by another booking. Cancel that one, and the referral is free again."
    ),
)
TOO_LATE = "referral_over"


@dataclass(frozen=True)
class Post:
    """Who is a district's doctor, from when to when."""

    district_id: int
    role_id: int
    starts_on: dt.date
    ends_on: dt.date | None

    def covers(self, day: dt.date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class Paper:
    """A referral that is not withdrawn."""

    referral_id: int
    specialty_id: int
    service_id: int | None
    """None: any service of that specialty."""
    valid_until: dt.date
    used_by: int | None = None
    """The booking that has used it up."""


@dataclass(frozen=True)
class Rights:
    """What is known about one card."""

    attached: bool = False
    districts: frozenset[int] = frozenset()
    posts: tuple[Post, ...] = ()
    """Of the card's own districts, and of the doctors asked about."""
    papers: tuple[Paper, ...] = ()

    def doctors(self, on: dt.date) -> frozenset[int]:
        """The roles that are doctors of the card's own districts on that day."""
        return frozenset(
            post.role_id
            for post in self.posts
            if post.district_id in self.districts and post.covers(on)
        )


def asked(policy: BookingPolicy) -> bool:
    """Whether a booking under this policy hangs on any of it."""
    return policy.attachment_required or policy.referral_required


def check(
    policy: BookingPolicy,
    role: PractitionerRole,
    rights: Rights,
    *,
    on: dt.date,
    service_id: int | None = None,
    own: int | None = None,
) -> list[Refusal]:
    """Every reason against a visit to ``role`` on the day ``on``, for what ``service_id`` says. Pure.

    ``own``: the booking that is looked at; the referral it has used is open to it.
    """
    found = []
    serves = _serves(rights, role.id, on)
    if policy.attachment_required:
        if not rights.attached:
            return [NOT_ATTACHED]
        if serves and not serves & rights.districts:
            found.append(_not_own(rights, on))
    if policy.referral_required and not serves:
        open_to_it = paper(role, rights, on=on, service_id=service_id, own=own)
        if open_to_it is None:
            found.append(_without_paper(role, rights, service_id, on))
    return found


def _serves(rights: Rights, role_id: int, on: dt.date) -> frozenset[int]:
    """The districts whose doctor this role is on that day; none: a specialist."""
    return frozenset(
        post.district_id for post in rights.posts if post.role_id == role_id and post.covers(on)
    )


def _not_own(rights: Rights, on: dt.date) -> Refusal:
    if not rights.districts:
        return NO_DISTRICT
    return NOT_OWN if rights.doctors(on) else NO_DOCTOR


def _fitting(role: PractitionerRole, rights: Rights, service_id: int | None) -> Iterable[Paper]:
    for each in rights.papers:
        if each.specialty_id == role.specialty_id and each.service_id in (None, service_id):
            yield each


def paper(
    role: PractitionerRole,
    rights: Rights,
    *,
    on: dt.date,
    service_id: int | None = None,
    own: int | None = None,
) -> Paper | None:
    """The open referral that fits, the one that ends first; none for a doctor of a district."""
    if _serves(rights, role.id, on):
        return None
    fits = [
        each
        for each in _fitting(role, rights, service_id)
        if each.used_by in (None, own) and on <= each.valid_until
    ]
    return min(fits, key=lambda each: (each.used_by is None, each.valid_until), default=None)


def _without_paper(
    role: PractitionerRole, rights: Rights, service_id: int | None, on: dt.date
) -> Refusal:
    fits = list(_fitting(role, rights, service_id))
    late = [each.valid_until for each in fits if each.used_by is None]
    if late:
        return Refusal(
            TOO_LATE,
            N_(
                "Your referral holds until %(date)s. Choose an earlier day, or ask for another one."
            ),
            {"date": max(late)},
        )
    return USED if any(on <= each.valid_until for each in fits) else NO_REFERRAL


def of_people(
    session: Session, person_ids: Collection[int], role_ids: Collection[int] = ()
) -> dict[int, Rights]:
    """Card → what is known, for a whole list, about these doctors and those of their own districts: three
    queries."""
    with widened(session, WHOSE):
        attached = session.execute(
            select(Attachment.person_id, Attachment.district_id).where(
                Attachment.person_id.in_(person_ids),
                Attachment.status == AttachmentStatus.ACTIVE,
            )
        ).all()
        own = {row.district_id for row in attached if row.district_id is not None}
        posts = session.execute(
            select(
                DistrictDoctor.district_id, DistrictDoctor.role_id,
                DistrictDoctor.starts_on, DistrictDoctor.ends_on,
            )
            .join(District, District.id == DistrictDoctor.district_id)
            .where(
                District.is_active,
                or_(DistrictDoctor.role_id.in_(role_ids), DistrictDoctor.district_id.in_(own)),
            )
        ).all()  # fmt: skip
        papers = session.execute(
            select(
                Referral.person_id, Referral.id, Referral.specialty_id, Referral.service_id,
                Referral.valid_until, Referral.appointment_id,
            ).where(Referral.person_id.in_(person_ids), Referral.withdrawn_at.is_(None))
        ).all()  # fmt: skip
    known = tuple(Post(*row) for row in posts)
    districts: dict[int, set[int]] = defaultdict(set)
    for row in attached:
        districts[row.person_id] |= {row.district_id} - {None}
    by_person: dict[int, list[Paper]] = defaultdict(list)
    for each in papers:
        by_person[each.person_id].append(
            Paper(
                each.id, each.specialty_id, each.service_id, each.valid_until, each.appointment_id
            )
        )
    return {
        person_id: Rights(
            person_id in districts,
            frozenset(districts.get(person_id, ())),
            known,
            tuple(by_person[person_id]),
        )
        for person_id in person_ids
    }


def of_person(session: Session, person_id: int, role_id: int) -> Rights:
    """The same for one card and one doctor."""
    return of_people(session, [person_id], [role_id])[person_id]


def day_there(starts_at: dt.datetime, organization: Organization) -> dt.date:
    return local_date(starts_at, organization.time_zone)


def use_fitting(
    session: Session,
    policy: BookingPolicy,
    role: PractitionerRole,
    rights: Rights,
    booking: Appointment,
) -> None:
    """Row C14: the booking uses up the referral that opened it, if it needed one. Raises Refused."""
    on = day_there(booking.starts_at, booking.organization)
    found = paper(role, rights, on=on, service_id=booking.service_id)
    if policy.referral_required and found is not None:
        use(session, found, booking)


def use(session: Session, found: Paper, booking: Appointment) -> None:
    """The booking has used the referral up: one statement decides. Raises Refused for the second of two."""
    with widened(session, WHOSE):
        won = changed_rows(
            session,
            update(Referral)
            .where(
                Referral.id == found.referral_id,
                Referral.appointment_id.is_(None),
                Referral.withdrawn_at.is_(None),
            )
            .values(appointment_id=booking.id),
        )
    if not won:
        raise Refused([USED])
