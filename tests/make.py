"""Invented rows for tests: one function per thing, sensible by default, every field can be given.

All need a session with the SYSTEM scope; they flush and never commit. Instants are counted from
``NOW``, a Monday morning. No real person, address or number.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Account,
    AccountPerson,
    AddressPoint,
    Appointment,
    Attachment,
    BookingPolicy,
    Consent,
    ConsentText,
    Deferral,
    Department,
    District,
    DistrictDoctor,
    DistrictRange,
    Donation,
    DonationInterval,
    DonationLimit,
    DonationPause,
    DonationType,
    Donor,
    DonorRecord,
    Feedback,
    HealthcareService,
    MedicalDocument,
    Organization,
    Page,
    Person,
    PersonDocument,
    Practitioner,
    PractitionerRole,
    PractitionerService,
    ProfileConfirmation,
    Referral,
    RejectionReason,
    Review,
    RoleAssignment,
    Schedule,
    Slot,
    Specialty,
    StaffUser,
    SurveyAddress,
    SurveyQuestion,
)
from app.models.blood import BloodType
from app.models.cabinet_choices import (
    AttachmentSource,
    AttachmentStatus,
    ConfirmationStatus,
    PaperKind,
    QuestionKind,
)
from app.models.enums import (
    AppointmentStatus,
    BloodGroup,
    Channel,
    Confirmation,
    ConsentChannel,
    ConsentPurpose,
    DeferralKind,
    DistrictKind,
    DocumentKind,
    DonationKind,
    FactSource,
    OrganizationKind,
    PageKind,
    Parity,
    Relation,
    Role,
    ScheduleStatus,
    Sign,
    SlotStatus,
)
from app.rules import documents, transitions
from app.rules.actor import SYSTEM as NOBODY
from app.rules.actor import Actor
from app.rules.clock import instant, local_date
from app.rules.donors import folded
from app.rules.streets import street_key

NOW = dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC)
"""Monday, 10:00 in Moscow."""
PASSWORD = "тихий-бор-за-рекой-42"
"""Of every account and member of staff made here."""
TOTP_SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOBODYS_UID = "c0ffee00-0000-4000-8000-000000000000"
"""Well formed, of no row. Parametrised tests need a fixed one: xdist's processes compare their names."""
B_NEGATIVE = BloodType(BloodGroup.B, Sign.NEGATIVE)
"""«III (B) −»: the donor of seed A, and of every test that does not say otherwise."""

_numbers = itertools.count(1)


@cache
def cheap_hash(password: str = PASSWORD) -> str:
    """A hash that verifies in a millisecond; the real cost is for people, not for tests."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)


@dataclass
class Tenant:
    """A blood centre that can work: everything a booking needs."""

    root: Organization
    branch: Organization
    policy: BookingPolicy
    types: dict[DonationKind, DonationType]
    reasons: list[RejectionReason]
    consent_text: ConsentText

    @property
    def id(self) -> int:
        return self.root.id

    @property
    def platelets(self) -> DonationType:
        return self.types[DonationKind.PLATELETS]


@dataclass
class KnownDonor:
    """A registered donor: the sign-in, the card and what it says."""

    account: Account
    person: Person
    donor: Donor


NAMES = {
    DonationKind.BLOOD: ("Цельная кровь", "Whole blood"),
    DonationKind.PLASMA: ("Плазмаферез", "Plasmapheresis"),
    DonationKind.PLATELETS: ("Тромбоцитаферез", "Thrombocytapheresis"),
    DonationKind.RED_CELLS: ("Эритроцитаферез", "Erythrocytapheresis"),
}
REASONS = (
    ("Код донора не совпадает с данными", "The donor code does not match"),
    ("Медицинский отвод", "Medical deferral"),
    ("Не выдержан интервал", "The interval is not kept"),
)


def make_tenant(
    session: Session,
    *,
    name: str = "Лесной центр крови",
    time_zone: str = "Europe/Moscow",
    now: dt.datetime = NOW,
    **policy: Any,
) -> Tenant:
    """A root with one branch, policy (the words of seed A; change any by name), numbers, texts."""
    root = make_organization(session, name=name, short_name=name, time_zone=time_zone)
    branch = make_organization(
        session,
        kind=OrganizationKind.BRANCH,
        name=f"{name}, отделение «Сосны»",
        short_name="Сосны",
        part_of_id=root.id,
        root_id=root.id,
        time_zone=time_zone,
    )
    types = {
        kind: make_donation_type(session, root, kind=kind, name_ru=ru, name_en=en, position=place)
        for place, (kind, (ru, en)) in enumerate(NAMES.items())
    }
    reasons = [
        RejectionReason(
            tenant_id=root.id,
            text_ru=ru,
            text_en=en,
            advice_ru="Позвоните в центр, пожалуйста.",
            advice_en="Phone the centre, please.",
            position=place,
        )
        for place, (ru, en) in enumerate(REASONS)
    ]
    session.add_all(reasons)
    make_medical_numbers(session, root)
    text = make_consent_text(session, root, now=now)
    made = make_policy(session, root, now=now, **policy)
    session.flush()
    return Tenant(root, branch, made, types, reasons, text)


def make_organization(session: Session, **changes: Any) -> Organization:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "kind": OrganizationKind.BLOOD_CENTRE,
        "name": f"Центр крови {number}",
        "short_name": f"Центр {number}",
        "settlement": "Лесной",
        "address": "ул. Вымышленная, 1",
        "phone": "+7 495 000-00-00",
        "time_zone": "Europe/Moscow",
    }
    return _added(session, Organization(**fields | changes))


def make_donation_type(session: Session, root: Organization, **changes: Any) -> DonationType:
    kind = changes.get("kind", DonationKind.PLATELETS)
    ru, en = NAMES[kind]
    fields: dict[str, Any] = {
        "tenant_id": root.id,
        "code": f"{kind}",
        "kind": kind,
        "name_ru": ru,
        "name_en": en,
        "memo_ru": "Накануне не ешьте жирного.",
        "memo_en": "No fat food on the day before.",
    }
    return _added(session, DonationType(**fields | changes))


def make_medical_numbers(session: Session, root: Organization) -> None:
    """Round numbers that are easy to count with; the official ones are app/data's."""
    common = {"tenant_id": root.id, "valid_from": dt.date(2020, 1, 1), "source": "для проверки"}
    days = {DonationKind.BLOOD: 60, DonationKind.RED_CELLS: 60}
    for before, after in itertools.product(DonationKind, DonationKind):
        wait = 14 if before not in days else (60 if after in days else 30)
        session.add(DonationInterval(from_kind=before, to_kind=after, days=wait, **common))
    session.add(DonationLimit(kind=DonationKind.BLOOD, sex=None, times=4, **common))
    session.flush()


def make_policy(
    session: Session, root: Organization, *, now: dt.datetime = NOW, **changes: Any
) -> BookingPolicy:
    fields: dict[str, Any] = {
        "tenant_id": root.id,
        "valid_from": now - dt.timedelta(days=365),
        "confirmation": Confirmation.APPROVAL,
        "hold_minutes": 10,
        "hold_extensions": 2,
        "holds_per_address": 20,
        "live_limit": 1,
        "days_after_own_cancel": 1,
        "days_after_donation": 10,
        "cabinet_days": 10,
        "book_days_ahead": 60,
        "decide_within_hours": 24,
        "undo_seconds": 60,
        "remind_hours_before": 24,
        "min_age": 18,
        "created_at": now - dt.timedelta(days=365),
    }
    return _added(session, BookingPolicy(**fields | changes))


def make_consent_text(
    session: Session, root: Organization, *, now: dt.datetime = NOW, **changes: Any
) -> ConsentText:
    text = changes.pop("text_ru", "Я согласен на обработку моих персональных данных для записи.")
    fields: dict[str, Any] = {
        "tenant_id": root.id,
        "purpose": ConsentPurpose.BOOKING,
        "version": 1,
        "text_ru": text,
        "text_en": "I agree to the processing of my personal data for booking.",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "valid_from": now - dt.timedelta(days=365),
    }
    return _added(session, ConsentText(**fields | changes))


def make_account(session: Session, *, now: dt.datetime = NOW, **changes: Any) -> Account:
    """A sign-in with a confirmed e-mail and ``PASSWORD``."""
    fields: dict[str, Any] = {
        "email": f"donor{next(_numbers)}@example.org",
        "email_confirmed_at": now - dt.timedelta(days=30),
        "password_hash": cheap_hash(),
        "password_changed_at": now - dt.timedelta(days=30),
        "created_at": now - dt.timedelta(days=30),
    }
    return _added(session, Account(**fields | changes))


def make_person(
    session: Session, tenant: Tenant, *, now: dt.datetime = NOW, **changes: Any
) -> Person:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "tenant_id": tenant.id,
        "family_name": "Соснова",
        "given_name": "Вера",
        "patronymic": f"Пробная{number}",
        "created_at": now - dt.timedelta(days=30),
    } | changes
    names = (fields["family_name"], fields["given_name"], fields["patronymic"])
    fields.setdefault("search_name", folded(" ".join(names)))
    return _added(session, Person(**fields))


def make_donor(
    session: Session,
    tenant: Tenant,
    *,
    blood_type: BloodType = B_NEGATIVE,
    kell: Sign = Sign.NEGATIVE,
    donor_code: str | None = None,
    now: dt.datetime = NOW,
    email: str | None = None,
    **person: Any,
) -> KnownDonor:
    """An account with its card, as registration leaves it; ``**person`` are fields of the card."""
    account = make_account(session, now=now, **({"email": email} if email else {}))
    card = make_person(session, tenant, now=now, **person)
    donor = Donor(
        tenant_id=tenant.id,
        person_id=card.id,
        donor_code=donor_code or f"{100000 + next(_numbers)}",
        blood_group=blood_type.group,
        rh=blood_type.rh,
        kell=kell,
    )
    kept = AccountPerson(account_id=account.id, person_id=card.id, tenant_id=tenant.id)
    consent = Consent(
        tenant_id=tenant.id,
        person_id=card.id,
        account_id=account.id,
        text_id=tenant.consent_text.id,
        sha256=tenant.consent_text.sha256,
        given_at=card.created_at,
        ip="192.0.2.7",
    )
    session.add_all([donor, kept, consent])
    session.flush()
    return KnownDonor(account, card, donor)


def make_record(
    session: Session, tenant: Tenant, known: KnownDonor | None = None, **changes: Any
) -> DonorRecord:
    """A row of the blood service's file; with ``known`` it says the same as that donor (not linked)."""
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "code": f"{100000 + next(_numbers)}",
        "blood_group": B_NEGATIVE.group,
        "rh": B_NEGATIVE.rh,
        "kell": Sign.NEGATIVE,
        "birth_date": dt.date(1990, 5, 17),
        "updated_at": NOW,
    }
    if known is not None:
        fields |= {
            "code": known.donor.donor_code,
            "family_name": known.person.family_name,
            "given_name": known.person.given_name,
            "patronymic": known.person.patronymic,
            "blood_group": known.donor.blood_group,
            "rh": known.donor.rh,
            "kell": known.donor.kell,
        }
    return _added(session, DonorRecord(**fields | changes))


def make_deferral(session: Session, tenant: Tenant, owner: Any, **changes: Any) -> Deferral:
    """Of a card or of a record (``owner``): temporary, from NOW's date on for 30 days."""
    today = local_date(NOW, tenant.root.time_zone)
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        **_owner(owner),
        "kind": DeferralKind.TEMPORARY,
        "reason": "для проверки",
        "starts_on": today,
        "ends_on": today + dt.timedelta(days=30),
        "source": FactSource.IMPORT,
    }
    return _added(session, Deferral(**fields | changes))


def make_donation(
    session: Session,
    tenant: Tenant,
    owner: Any,
    *,
    on_date: dt.date,
    kind: DonationKind = DonationKind.PLATELETS,
    **changes: Any,
) -> Donation:
    """A past donation of a card or of a record (``owner``)."""
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        **_owner(owner),
        "kind": kind,
        "on_date": on_date,
        "source": FactSource.IMPORT,
    }
    return _added(session, Donation(**fields | changes))


def make_pause(session: Session, tenant: Tenant, **changes: Any) -> DonationPause:
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "donation_type_id": tenant.platelets.id,
        "starts_at": NOW - dt.timedelta(days=1),
        "ends_at": None,
        "notice_ru": "Запас достаточен, ждем вас через неделю.",
        "notice_en": "There is enough in stock; please come in a week.",
    }
    return _added(session, DonationPause(**fields | changes))


def make_schedule(
    session: Session,
    tenant: Tenant,
    *,
    kind: DonationKind = DonationKind.PLATELETS,
    days: int = 2,
    date: dt.date | None = None,
    start: dt.time = dt.time(8),
    end: dt.time = dt.time(10),
    step: int = 60,
    per_time: int = 2,
    total: int | None = None,
    blood_types: Iterable[BloodType] = (),
    organization: Organization | None = None,
    status: ScheduleStatus = ScheduleStatus.PUBLISHED,
    **changes: Any,
) -> Schedule:
    """A donor day ``days`` after NOW, 8:00 and 9:00 with two places each; places from the first time on."""
    where = organization or tenant.branch
    on = date or local_date(NOW, where.time_zone) + dt.timedelta(days=days)
    first = instant(on, start, where.time_zone)
    last = instant(on, end, where.time_zone)
    times = []
    while first < last:
        times.append(first)
        first += dt.timedelta(minutes=step)
    places = [(at, place) for at in times for place in range(1, per_time + 1)]
    places = places[: len(places) if total is None else total]
    fields: dict[str, Any] = {
        "organization_id": where.id,
        "tenant_id": tenant.id,
        "donation_type_id": tenant.types[kind].id,
        "date": on,
        "start_time": start,
        "end_time": end,
        "step_minutes": step,
        "places_per_time": per_time,
        "total": len(places),
        "blood_types": frozenset(blood_types),
        "status": status,
    }
    schedule = _added(session, Schedule(**fields | changes))
    session.add_all(
        Slot(organization_id=where.id, schedule_id=schedule.id, starts_at=at, place=place)
        for at, place in places
    )
    session.flush()
    return schedule


def slots_of(session: Session, schedule: Schedule) -> list[Slot]:
    """In the order people see: by time, then by place."""
    query = (
        select(Slot)
        .where(Slot.schedule_id == schedule.id)
        .order_by(Slot.starts_at, Slot.place)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


PATHS: dict[AppointmentStatus, tuple[str, ...]] = {
    AppointmentStatus.HELD: (),
    AppointmentStatus.PENDING: ("confirm_to_pending",),
    AppointmentStatus.BOOKED: ("confirm_to_pending", "approve"),
    AppointmentStatus.REJECTED: ("confirm_to_pending", "reject"),
    AppointmentStatus.CANCELLED: ("confirm_to_pending", "cancel"),
    AppointmentStatus.EXPIRED: ("confirm_to_pending", "expire"),
    AppointmentStatus.RELEASED: ("release",),
    AppointmentStatus.ARRIVED: ("confirm_to_pending", "approve", "arrive"),
    AppointmentStatus.NOSHOW: ("confirm_to_pending", "approve", "noshow"),
    AppointmentStatus.FULFILLED: ("confirm_to_pending", "approve", "arrive", "fulfil"),
    AppointmentStatus.TURNED_AWAY: ("confirm_to_pending", "approve", "arrive", "turn_away"),
}
"""The events that lead to each status."""


def make_appointment(
    session: Session,
    tenant: Tenant,
    known: KnownDonor | Person,
    schedule: Schedule,
    *,
    status: AppointmentStatus = AppointmentStatus.PENDING,
    slot: Slot | None = None,
    actor: Actor = NOBODY,
    now: dt.datetime = NOW,
    **changes: Any,
) -> Appointment:
    """A booking in ``status`` with its whole history, on ``slot`` or the first free place.

    Goes through the transitions, not through the rules: nobody asks whether this donor (or patient, for a
    practitioner's sitting) may book.
    """
    place = slot or next(s for s in slots_of(session, schedule) if s.status is SlotStatus.FREE)
    assert transitions.take_slot(session, slot_id=place.id), "this place is not free"
    appointment = Appointment(
        organization_id=schedule.organization_id,
        tenant_id=schedule.tenant_id,
        person_id=_owner(known)["person_id"],
        slot_id=place.id,
        schedule_id=schedule.id,
        donation_type_id=schedule.donation_type_id,
        service_id=schedule.service_id,
        policy_id=tenant.policy.id,
        status=AppointmentStatus.HELD,
        keeps_slot=True,
        starts_at=place.starts_at,
        created_at=now,
        hold_until=now + dt.timedelta(minutes=tenant.policy.hold_minutes),
    )
    transitions.start(session, appointment, actor=actor, now=now)
    for event in PATHS[status]:
        values = _values(event, tenant, place, now)
        if event == PATHS[status][-1]:
            values |= changes
        transitions.move(
            session, appointment_id=appointment.id, event=event, actor=actor, now=now, **values
        )
    session.refresh(appointment)
    return appointment


def _values(event: str, tenant: Tenant, place: Slot, now: dt.datetime) -> dict[str, Any]:
    if event == "confirm_to_pending":
        due = now + dt.timedelta(hours=tenant.policy.decide_within_hours)
        return {
            "requested_at": now,
            "hold_until": None,
            "held_from": None,
            "decide_by": min(due, place.starts_at),
        }
    if event == "reject":
        undo = now + dt.timedelta(seconds=tenant.policy.undo_seconds)
        return {"decided_at": now, "undo_until": undo, "reason_id": tenant.reasons[0].id}
    if event == "approve":
        return {"decided_at": now}
    if event in ("cancel", "expire", "release"):
        return {"ended_at": now, "ended_by": NOBODY.kind, "hold_until": None}
    return {}


def make_staff(
    session: Session,
    role: Role | None = Role.REGISTRAR,
    over: Organization | None = None,
    *,
    now: dt.datetime = NOW,
    **changes: Any,
) -> StaffUser:
    """Somebody of the back office with ``PASSWORD`` and a confirmed second factor (``TOTP_SEED``).

    The role is held over ``over`` and everything under it; over the whole installation without it.
    """
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "email": f"staff{next(_numbers)}@example.org",
        "full_name": "Ольга Проверочная",
        "password_hash": cheap_hash(),
        "password_changed_at": now - dt.timedelta(days=30),
        "totp_seed": TOTP_SEED,
        "totp_confirmed_at": now - dt.timedelta(days=30),
        "created_at": now - dt.timedelta(days=30),
    }
    user = StaffUser(**fields | changes)
    if role is not None:
        user.roles.append(RoleAssignment(role=role, organization_id=over.id if over else None))
    return _added(session, user)


def _owner(owner: Any) -> dict[str, int]:
    if isinstance(owner, DonorRecord):
        return {"record_id": owner.id}
    return {"person_id": owner.person.id if isinstance(owner, KnownDonor) else owner.id}


def _added(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_polyclinic(session: Session, *, name: str = "Лесная поликлиника", **root: Any) -> Tenant:
    """A tenant whose root and branch take patients, not donors, in the settlement «Лесной»."""
    tenant = make_tenant(session, name=name, **root)
    for place in (tenant.root, tenant.branch):
        place.kind = place.kind if place.root_id else OrganizationKind.POLYCLINIC
        place.takes_donors, place.takes_patients = False, True
        place.institution = "clinic"
    session.flush()
    return tenant


def make_specialty(session: Session, **changes: Any) -> Specialty:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "code": f"specialty-{number}",
        "name_ru": f"Врач-проверяющий {number}",
        "name_en": f"Tester {number}",
    }
    return _added(session, Specialty(**fields | changes))


def make_department(
    session: Session, tenant: Tenant, *, organization: Organization | None = None, **changes: Any
) -> Department:
    """Of the tenant's branch, at the top of its tree."""
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "organization_id": (organization or tenant.branch).id,
        "name": f"Отделение {next(_numbers)}",
    }
    return _added(session, Department(**fields | changes))


def make_service(session: Session, tenant: Tenant, **changes: Any) -> HealthcareService:
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "code": "B01.047.001",
        "name_ru": f"Прием врача первичный {next(_numbers)}",
        "name_en": "First visit to a doctor",
        "edition": "804н",
    }
    return _added(session, HealthcareService(**fields | changes))


def make_practitioner(
    session: Session,
    tenant: Tenant,
    *,
    services: Iterable[HealthcareService] = (),
    **changes: Any,
) -> Practitioner:
    """A doctor who gives ``services``; where he receives is ``make_role``."""
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "code": f"{next(_numbers)}",
        "family_name": "Еловая",
        "given_name": "Марта",
        "patronymic": "Сергеевна",
        "position": "врач-проверяющий",
    } | changes
    names = (fields["family_name"], fields["given_name"], fields["patronymic"])
    fields.setdefault("search_name", folded(" ".join(names)))
    made = _added(session, Practitioner(**fields))
    session.add_all(
        PractitionerService(tenant_id=tenant.id, practitioner_id=made.id, service_id=service.id)
        for service in services
    )
    session.flush()
    return made


def make_role(
    session: Session,
    tenant: Tenant,
    *,
    practitioner: Practitioner | None = None,
    specialty: Specialty | None = None,
    department: Department | None = None,
    organization: Organization | None = None,
    **changes: Any,
) -> PractitionerRole:
    """Where a doctor receives: at the tenant's branch (or the department's) unless told otherwise."""
    where = department.organization_id if department else (organization or tenant.branch).id
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "organization_id": where,
        "practitioner_id": (practitioner or make_practitioner(session, tenant)).id,
        "department_id": department.id if department else None,
        "specialty_id": (specialty or make_specialty(session)).id,
        "room": "214",
    }
    return _added(session, PractitionerRole(**fields | changes))


def make_sitting(
    session: Session,
    role: PractitionerRole,
    *,
    days: int = 2,
    date: dt.date | None = None,
    times: Iterable[str] = ("09:00", "09:15", "09:30", "09:45"),
    minutes: int = 15,
    service: HealthcareService | None = None,
    channel: Channel = Channel.WEB,
    status: ScheduleStatus = ScheduleStatus.PUBLISHED,
    **changes: Any,
) -> Schedule:
    """A doctor's sitting ``days`` after NOW with one free slot at each of ``times`` («09:25»)."""
    where = session.get_one(Organization, role.organization_id)
    on = date or local_date(NOW, where.time_zone) + dt.timedelta(days=days)
    starts = [dt.time.fromisoformat(text) for text in times]
    end = dt.datetime.combine(on, starts[-1]) + dt.timedelta(minutes=minutes)
    fields: dict[str, Any] = {
        "organization_id": role.organization_id,
        "tenant_id": role.tenant_id,
        "role_id": role.id,
        "service_id": service.id if service else None,
        "date": on,
        "start_time": starts[0],
        "end_time": end.time(),
        "step_minutes": minutes,
        "places_per_time": 1,
        "total": len(starts),
        "status": status,
    }
    schedule = _added(session, Schedule(**fields | changes))
    session.add_all(
        Slot(
            organization_id=role.organization_id,
            schedule_id=schedule.id,
            role_id=role.id,
            starts_at=instant(on, time, where.time_zone),
            place=1,
            minutes=minutes,
            channel=channel,
        )
        for time in starts
    )
    session.flush()
    return schedule


def make_document(
    session: Session, person: Person, kind: DocumentKind = DocumentKind.OMS, number: str = ""
) -> PersonDocument:
    """A document of this card, typed in any way; a policy of its own unless a number is given."""
    body = f"77{next(_numbers):013}"
    number = number or body + str(documents.policy_check_digit(body))
    document = PersonDocument(
        uid=uuid.uuid4(),
        tenant_id=person.tenant_id,
        person_id=person.id,
        kind=kind,
        created_at=person.created_at,
    )
    document.number = documents.normalised(kind, number)
    return _added(session, document)


def make_district(
    session: Session, tenant: Tenant, *, organization: Organization | None = None, **changes: Any
) -> District:
    """Of the tenant's branch: «Участок №91, Терапевтический» unless told otherwise."""
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "organization_id": (organization or tenant.branch).id,
        "kind": DistrictKind.THERAPY,
        "number": "91",
    }
    return _added(session, District(**fields | changes))


def make_range(
    session: Session,
    district: District,
    *,
    street: str = "Ленина",
    settlement: str = "",
    **changes: Any,
) -> DistrictRange:
    """The whole street, unless ends, a side or single houses are given."""
    where = session.get_one(Organization, district.organization_id)
    fields: dict[str, Any] = {
        "tenant_id": district.tenant_id,
        "organization_id": district.organization_id,
        "district_id": district.id,
        "street": street,
        "settlement": settlement,
        "street_key": street_key(street, settlement, home=where.settlement),
        "parity": Parity.ALL,
    }
    return _added(session, DistrictRange(**fields | changes))


def make_district_doctor(
    session: Session, district: District, role: PractitionerRole, **changes: Any
) -> DistrictDoctor:
    """From a year before NOW on."""
    fields: dict[str, Any] = {
        "tenant_id": district.tenant_id,
        "organization_id": district.organization_id,
        "district_id": district.id,
        "role_id": role.id,
        "starts_on": NOW.date() - dt.timedelta(days=365),
    }
    return _added(session, DistrictDoctor(**fields | changes))


def make_address(
    session: Session,
    *,
    street: str = "Ленина",
    settlement: str = "Лесной",
    at: tuple[float, float] = (61.0, 69.0),
    **changes: Any,
) -> AddressPoint:
    """The middle of a street in the polyclinics' settlement, or the ``house`` that is given."""
    fields: dict[str, Any] = {
        "settlement": settlement,
        "street": street,
        "street_key": street_key(street, settlement),
        "latitude": at[0],
        "longitude": at[1],
    }
    return _added(session, AddressPoint(**fields | changes))


def make_page(session: Session, tenant: Tenant, **changes: Any) -> Page:
    """A draft of staff's words for the site; ``published_at`` shows it."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "kind": PageKind.INFORMATION,
        "slug": f"page-{number}",
        "title_ru": f"Страница {number}",
        "title_en": f"Page {number}",
        "body_ru": "<p>Приём ежедневно.</p>",
        "body_en": "<p>Open every day.</p>",
        "position": number,
        "updated_at": NOW,
    }
    return _added(session, Page(**fields | changes))


def make_feedback(session: Session, tenant: Tenant, **changes: Any) -> Feedback:
    """Somebody's letter to staff, new."""
    row = Feedback(uid=uuid.uuid4(), tenant_id=tenant.id, created_at=NOW)
    fields: dict[str, Any] = {
        "name": "Вымыслова Анна",
        "phone": "+79000000001",
        "email": f"asks{next(_numbers)}@example.org",
        "question": "Когда приём?",
    }
    for name, value in (fields | changes).items():
        setattr(row, name, value)
    return _added(session, row)


def make_proposed(
    session: Session, held: Appointment, *, code_until: dt.datetime, now: dt.datetime = NOW
) -> Appointment:
    """A held booking that now awaits its first code until ``code_until``."""
    transitions.move(
        session,
        appointment_id=held.id,
        event="propose",
        actor=NOBODY,
        now=now,
        hold_until=None,
        code_nonce=uuid.uuid4().hex,
        code_until=code_until,
        code_tries=0,
        code_sent=1,
    )
    session.refresh(held)
    return held


def make_attachment(
    session: Session, person: Person, district: District, *, now: dt.datetime = NOW, **changes: Any
) -> Attachment:
    """In force since a year before ``now``, as the registry has it."""
    since = now - dt.timedelta(days=365)
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "tenant_id": person.tenant_id,
        "person_id": person.id,
        "organization_id": district.organization_id,
        "kind": district.kind,
        "district_id": district.id,
        "status": AttachmentStatus.ACTIVE,
        "source": AttachmentSource.REGISTRY,
        "requested_at": since,
        "starts_at": since,
    }
    return _added(session, Attachment(**fields | changes))


def make_referral(
    session: Session,
    person: Person,
    role: PractitionerRole,
    by: StaffUser,
    *,
    now: dt.datetime = NOW,
    **changes: Any,
) -> Referral:
    """To a doctor of that role's specialty, for thirty days."""
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "tenant_id": person.tenant_id,
        "person_id": person.id,
        "specialty_id": role.specialty_id,
        "issued_at": now - dt.timedelta(days=1),
        "issued_by_id": by.id,
        "valid_until": now.date() + dt.timedelta(days=30),
    }
    return _added(session, Referral(**fields | changes))


def make_kept(
    session: Session,
    account: Account,
    person: Person,
    relation: Relation = Relation.CHILD,
    *,
    now: dt.datetime = NOW,
    **changes: Any,
) -> AccountPerson:
    """The account keeps that relative's card since a month."""
    since = now - dt.timedelta(days=30)
    fields: dict[str, Any] = {
        "account_id": account.id,
        "person_id": person.id,
        "tenant_id": person.tenant_id,
        "relation": relation,
        "created_at": since,
        "agreed_at": since,
    }
    return _added(session, AccountPerson(**fields | changes))


def make_confirmation(
    session: Session,
    known: KnownDonor,
    *,
    confirmed: bool = True,
    now: dt.datetime = NOW,
    **changes: Any,
) -> ProfileConfirmation:
    """A profile that is confirmed by a paper consent, or one that waits for it."""
    person = known.person
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "tenant_id": person.tenant_id,
        "account_id": known.account.id,
        "person_id": person.id,
        "status": ConfirmationStatus.CONFIRMED if confirmed else ConfirmationStatus.WAITING,
        "requested_at": now,
        "due_on": now.date() + dt.timedelta(days=3),
    }
    if confirmed:
        fields["consent_id"] = make_consent(
            session, person, ConsentPurpose.DOCUMENTS, now=now, channel=ConsentChannel.PAPER
        ).id
    return _added(session, ProfileConfirmation(**fields | changes))


def make_consent(
    session: Session,
    person: Person,
    purpose: ConsentPurpose,
    *,
    now: dt.datetime = NOW,
    **changes: Any,
) -> Consent:
    """Of a person, to the text of this purpose, which is made if there is none."""
    text = session.scalars(
        select(ConsentText).where(
            ConsentText.tenant_id == person.tenant_id, ConsentText.purpose == purpose
        )
    ).first()
    if text is None:
        text = make_consent_text(
            session, session.get_one(Organization, person.tenant_id), now=now, purpose=purpose
        )
    fields: dict[str, Any] = {
        "tenant_id": person.tenant_id,
        "person_id": person.id,
        "text_id": text.id,
        "sha256": text.sha256,
        "given_at": now,
    }
    return _added(session, Consent(**fields | changes))


PDF = b"%PDF-1.4 invented"


def make_copy(
    session: Session,
    person: Person,
    author: StaffUser,
    *,
    body: bytes = PDF,
    now: dt.datetime = NOW,
    **changes: Any,
) -> MedicalDocument:
    """The copy of a document on this card, encrypted; nobody is told of it."""
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "tenant_id": person.tenant_id,
        "person_id": person.id,
        "kind": PaperKind.TEST_RESULTS,
        "title": "Общий анализ крови",
        "content_type": "application/pdf",
        "size": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "created_at": now,
        "created_by_id": author.id,
    }
    row = MedicalDocument(**fields | changes)
    row.content = base64.b64encode(body).decode("ascii")
    return _added(session, row)


def make_review(
    session: Session, visit: Appointment, *, now: dt.datetime = NOW, **changes: Any
) -> Review:
    """Four stars for a visit, not read by staff yet."""
    fields: dict[str, Any] = {
        "uid": uuid.uuid4(),
        "tenant_id": visit.tenant_id,
        "organization_id": visit.organization_id,
        "appointment_id": visit.id,
        "person_id": visit.person_id,
        "role_id": session.get_one(Schedule, visit.schedule_id).role_id,
        "stars": 4,
        "created_at": now,
    }
    return _added(session, Review(**fields | changes))


def make_question(session: Session, tenant: Tenant, **changes: Any) -> SurveyQuestion:
    """One that is answered by yes or no."""
    fields: dict[str, Any] = {
        "tenant_id": tenant.id,
        "text_ru": "Приняли ли вас вовремя?",
        "text_en": "Were you seen in time?",
        "kind": QuestionKind.YES_NO,
    }
    return _added(session, SurveyQuestion(**fields | changes))


def make_survey_address(
    session: Session,
    visit: Appointment,
    *,
    now: dt.datetime = NOW,
    email: str = "guest@example.org",
) -> SurveyAddress:
    """Where the questionnaire about a visit goes, with its consent."""
    consent = make_consent(session, visit.person, ConsentPurpose.SURVEY, now=now)
    row = SurveyAddress(
        uid=uuid.uuid4(),
        tenant_id=visit.tenant_id,
        person_id=visit.person_id,
        appointment_id=visit.id,
        consent_id=consent.id,
        created_at=now,
    )
    row.email = email
    return _added(session, row)
